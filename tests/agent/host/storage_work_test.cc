// A round of work on a directory of this machine: no network file system is needed for what it does
// and leaves.
#include "agent/host/processes/storage_work.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

std::string DeviceOf(const std::string& path) {
  struct stat found {};
  stat(path.c_str(), &found);
  return absl::StrCat(major(found.st_dev), ":", minor(found.st_dev));
}

class StorageWorkTest : public testing::Test {
 protected:
  StorageWorkTest() {
    request_.set_node("node-1");
    request_.set_device(DeviceOf(data_.path()));
  }
  v1::StorageRound Work() {
    const absl::StatusOr<std::string> answer =
        StorageRoundHere(data_.path(), request_.SerializeAsString());
    EXPECT_TRUE(answer.ok()) << answer.status();
    v1::StorageRound round;
    EXPECT_TRUE(answer.ok() && round.ParseFromString(*answer));
    return round;
  }
  // "CREATE WRITE"; one that failed with its error's name, "CREATE:EROFS".
  static std::string Steps(const v1::StorageRound& round) {
    return absl::StrJoin(round.steps(), " ", [](std::string* out, const v1::StorageStep& step) {
      absl::StrAppend(out, v1::StorageStep::Name_Name(step.name()),
                      step.passed() ? "" : absl::StrCat(":", step.error_name()));
    });
  }
  std::string Folder() const { return data_ / ".connect-ha"; }
  std::vector<std::string> Left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(Folder())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  TemporaryDirectory data_;
  v1::StorageRoundRequest request_;
};

TEST_F(StorageWorkTest, DoesWhatConnectDoesAndLeavesAnEmptyFolderOfItsOwn) {
  const v1::StorageRound round = Work();
  const bool is_root = geteuid() == 0;
  EXPECT_EQ(Steps(round), is_root ? "CREATE WRITE READ_BACK CHANGE_OWNER RENAME UNLINK"
                                  : "CREATE WRITE READ_BACK CHANGE_OWNER:EPERM RENAME UNLINK");
  EXPECT_EQ(round.directory(), Folder());
  for (const v1::StorageStep& step : round.steps()) EXPECT_TRUE(step.has_duration_us());
  EXPECT_EQ(Left(), std::vector<std::string>());
  struct stat folder {};
  ASSERT_EQ(stat(Folder().c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 07777, 0700u);
  EXPECT_EQ(Steps(Work()), Steps(round));
}

TEST_F(StorageWorkTest, TellsWhoseTheFileIsAfterAChangeOfItsOwner) {
  const v1::StorageRound round = Work();
  EXPECT_EQ(round.owner_wanted(), "65533:65533");
  EXPECT_EQ(round.owner_seen(),
            geteuid() == 0 ? "65533:65533" : absl::StrCat(geteuid(), ":", getegid()));
}

TEST_F(StorageWorkTest, ReplacesWhatARoundThatWasKilledLeft) {
  Work();
  data_.Write(".connect-ha/work-node-1", "half");
  data_.Write(".connect-ha/work-node-1.renamed", "half");
  data_.Write(".connect-ha/work-node-2", "another node's");
  EXPECT_TRUE(Work().steps().rbegin()->passed());
  EXPECT_EQ(Left(), std::vector<std::string>{"work-node-2"});
}

TEST_F(StorageWorkTest, FollowsNoLinkOfTheFile) {
  Work();
  data_.Write("precious", "content");
  fs::create_symlink("../precious", Folder() + "/work-node-1");
  EXPECT_TRUE(Work().steps().rbegin()->passed());
  EXPECT_EQ(fs::file_size(data_ / "precious"), 7u);
}

TEST_F(StorageWorkTest, FollowsNoLinkOfTheFolder) {
  const TemporaryDirectory elsewhere;
  fs::create_directory_symlink(elsewhere.path(), Folder());
  const std::string steps = Steps(Work());
  EXPECT_TRUE(steps == "CREATE:ENOTDIR" || steps == "CREATE:ELOOP") << steps;  // as kernels will
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

TEST_F(StorageWorkTest, RefusesAFolderThatOthersMayWriteTo) {
  fs::create_directory(Folder());
  fs::permissions(Folder(), fs::perms(0777));
  const v1::StorageRound round = Work();
  EXPECT_EQ(Steps(round), "CREATE:");
  EXPECT_EQ(round.steps(0).error(),
            Folder() + " may be written to by others: somebody else made it");
  EXPECT_TRUE(fs::is_empty(Folder()));
}

TEST_F(StorageWorkTest, RefusesAFolderThatSomebodyElseMade) {
  fs::create_directory(Folder());
  fs::permissions(Folder(), fs::perms(0700));
  if (geteuid() != 0) {  // who is not root cannot give a folder away
    EXPECT_NE(chown(Folder().c_str(), 1234, 1234), 0);
    return;
  }
  ASSERT_EQ(chown(Folder().c_str(), 1234, 1234), 0);
  const v1::StorageRound round = Work();
  EXPECT_EQ(Steps(round), "CREATE:");
  EXPECT_EQ(
      round.steps(0).error(),
      Folder() + " belongs to uid 1234, what root makes in it to uid 0: somebody else made it");
  EXPECT_TRUE(fs::is_empty(Folder()));
}

// Below the mount point, where the mount went away meanwhile.
TEST_F(StorageWorkTest, WritesNothingWhereSomethingElseIsMountedByNow) {
  request_.set_device("0:4294967295");
  const absl::Status status = StorageRoundHere(data_.path(), request_.SerializeAsString()).status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_TRUE(fs::is_empty(data_.path()));
}

TEST_F(StorageWorkTest, SaysThatTheDirectoryIsNotThere) {
  fs::remove(data_.path());
  EXPECT_EQ(Steps(Work()), "CREATE:ENOENT");
}

TEST_F(StorageWorkTest, TakesNoNameThatLeadsElsewhere) {
  for (const char* name : {"", "../node-1", "a/b"}) {
    request_.set_node(name);
    EXPECT_TRUE(absl::IsInvalidArgument(
        StorageRoundHere(data_.path(), request_.SerializeAsString()).status()))
        << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(StorageRoundHere(data_.path(), "\xff").status()));
  EXPECT_TRUE(fs::is_empty(data_.path()));
}

}  // namespace
}  // namespace connect_ha
