#include "agent/host/processes/shared_reader.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/host/files/files.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/host/processes/shared_readers.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

SharedReaderOptions Options() {
  SharedReaderOptions options;
  options.command = {CONNECT_HA_SHARED_READER_CHILD};
  options.name = "/mnt/connect";
  options.deadline = milliseconds(5'000);
  return options;
}

// A process that is stopped answers no more than one that waits for a dead server.
class HungReader : public testing::Test {
 protected:
  HungReader() {
    directory_.Write("key", "secret");
    SharedReaderOptions options = Options();
    options.deadline = milliseconds(100);
    options.kill_after = milliseconds(400);
    reader_ = std::make_unique<SharedReader>(options);
    while (!reader_->ReadFile(directory_ / "key").ok()) {
      std::this_thread::sleep_for(milliseconds(10));  // a loaded machine starts it slowly
    }
    first_ = reader_->pid();
    kill(first_, SIGSTOP);
  }

  bool Recovers() {
    for (int i = 0; i < 500; ++i) {
      if (reader_->ReadFile(directory_ / "key").ok()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<SharedReader> reader_;
  pid_t first_ = -1;
};

TEST(SharedReader, AnswersAsAReadOfOurOwn) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  std::filesystem::create_symlink("a", directory / "link");
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadFile(directory / "a"), "content");
  EXPECT_EQ(*reader.ReadLink(directory / "link"), "a");
  EXPECT_EQ(*reader.ListDirectory(directory.path()), (std::vector<std::string>{"a", "link"}));
  EXPECT_EQ(reader.Stat(directory / "link", true)->size_bytes, 7u);
  EXPECT_EQ(reader.Stat(directory / "link", false)->kind, FileStatus::Kind::kLink);
  EXPECT_EQ(*reader.HashFile(directory / "a", "md5"), "9a0364b9e99bb480dd25e1f0284c8555");
}

TEST(SharedReader, MeasuresAFileSystem) {
  SharedReader reader(Options());
  const auto use = reader.Use("/");
  ASSERT_TRUE(use.ok()) << use.status();
  EXPECT_EQ(use->size_bytes, UseHere("/")->size_bytes);
}

// A request's bytes are any, and so are an answer's.
TEST(SharedReader, HasWorkDoneByMessages) {
  TemporaryDirectory directory;
  struct stat found {};
  ASSERT_EQ(stat(directory.path().c_str(), &found), 0);
  v1::StorageRoundRequest request;
  request.set_node("node-1");
  request.set_device(absl::StrCat(major(found.st_dev), ":", minor(found.st_dev)));
  const std::string bytes =
      request.SerializeAsString() + std::string("\xf8\x07\0", 3);  // a field not known, 0
  SharedReader reader(Options());
  const auto answer = reader.Work(kRoundOperation, directory.path(), bytes);
  ASSERT_TRUE(answer.ok()) << answer.status();
  v1::StorageRound round;
  ASSERT_TRUE(round.ParseFromString(*answer));
  EXPECT_EQ(round.directory(), directory / ".connect-ha");
  EXPECT_EQ(round.steps_size(), 6);
}

TEST(SharedReader, PassesErrorsOn) {
  SharedReader reader(Options());
  const auto result = reader.ReadFile("/no/such/file");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(result.status().message(), "cannot read /no/such/file: no such file or directory");
}

TEST(SharedReader, CarriesLargeFiles) {
  TemporaryDirectory directory;
  const std::string content(3'000'000, 'x');
  directory.Write("large", content);
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadFile(directory / "large"), content);
}

TEST(SharedReader, StartsAnotherProcessWhenItsOwnIsKilled) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  SharedReader reader(Options());
  ASSERT_TRUE(reader.ReadFile(directory / "a").ok());
  kill(reader.pid(), SIGKILL);
  bool back = false;
  for (int i = 0; i < 100 && !back; ++i) back = reader.ReadFile(directory / "a").ok();
  EXPECT_TRUE(back);
}

// The agent's own program, on a machine that is busy: nothing was asked of the file system yet.
TEST(SharedReader, DoesNotTakeAProcessThatStartsSlowlyForASilentFileSystem) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  SharedReaderOptions options = Options();
  options.command = {"/bin/sh", "-c", "sleep 1; exec " CONNECT_HA_SHARED_READER_CHILD};
  options.deadline = milliseconds(500);
  SharedReader reader(options);
  absl::Status meanwhile;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(200));
    meanwhile = reader.Stat(directory / "a", true).status();
  });
  EXPECT_EQ(*reader.ReadFile(directory / "a"), "content");
  other.join();
  if (!meanwhile.ok()) {
    EXPECT_EQ(meanwhile,
              absl::UnavailableError("the process that reads /mnt/connect is being started"));
  }
}

TEST(SharedReader, SaysSoWhereItsProcessDoesNotStart) {
  SharedReaderOptions options = Options();
  options.command = {"/bin/sleep", "60"};
  options.start_within = milliseconds(100);
  SharedReader reader(options);
  EXPECT_EQ(reader.ReadFile("/a").status(),
            absl::UnavailableError("the process that reads /mnt/connect has not started in time"));
  EXPECT_EQ(reader.pid(), -1);
}

TEST_F(HungReader, IsReportedWithTheTimeSinceWhen) {
  const auto result = reader_->ReadFile(directory_ / "key");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(result.status().message().substr(0, 53),
            "the file system at /mnt/connect has not answered sinc");
}

TEST_F(HungReader, FailsFurtherCallsAtOnce) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  const auto begin = std::chrono::steady_clock::now();
  const auto result = reader_->Stat(directory_ / "key", true);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(HungReader, GoesOnWithTheSameProcessWhenItComesBack) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  kill(first_, SIGCONT);
  EXPECT_TRUE(Recovers());
  EXPECT_EQ(reader_->pid(), first_);
}

TEST_F(HungReader, IsKilledAfterABoundAndReplacedOnceGone) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  std::this_thread::sleep_for(milliseconds(450));
  EXPECT_TRUE(Recovers());
  EXPECT_NE(reader_->pid(), first_);
}

TEST(SharedReader, ReadsPiecesOfAFileOfAnySize) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadPiece(directory / "a", 0, 3), "con");
  EXPECT_EQ(*reader.ReadPiece(directory / "a", 3, 100), "tent");
  EXPECT_EQ(*reader.ReadPiece(directory / "a", 7, 100), "");
  EXPECT_EQ(*reader.ReadPiece(directory / "a", 100, 100), "");
  EXPECT_EQ(reader.ReadPiece(directory.path(), 0, 1).status().code(),
            absl::StatusCode::kUnavailable);
}

// An account that can write the folder puts what only root may read in the place of a package.
TEST(SharedReader, AsksAtEachPieceWhetherEverybodyMayReadTheFile) {
  TemporaryDirectory directory;
  directory.Write("package.deb", "content");
  directory.Write("secret", "hunter2");
  std::filesystem::permissions(directory / "package.deb", std::filesystem::perms(0644));
  std::filesystem::permissions(directory / "secret", std::filesystem::perms(0600));
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadPublicPiece(directory / "package.deb", 0, 3), "con");
  EXPECT_EQ(*reader.ReadPublicPiece(directory / "package.deb", 7, 3), "");
  std::filesystem::remove(directory / "package.deb");
  std::filesystem::create_symlink("secret", directory / "package.deb");
  EXPECT_EQ(reader.ReadPublicPiece(directory / "package.deb", 3, 3).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reader.ReadPublicPiece(directory.path(), 0, 3).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SharedReader, HashesALargeFileInPieces) {
  TemporaryDirectory directory;
  std::string content;
  for (int i = 0; content.size() < 3'000'000; ++i) content += std::to_string(i);
  directory.Write("large", content);
  SharedReader reader(Options());
  EXPECT_EQ(*reader.HashFile(directory / "large", "sha256"),
            *HashFileHere(directory / "large", "sha256"));
  // However much is asked for: what is more may be late on a file system that answers.
  EXPECT_EQ(reader.ReadPiece(directory / "large", 0, content.size())->size(), 1024u * 1024);
}

MountEntry NetworkMount(const std::string& mount_point) {
  MountEntry mount;
  mount.mount_point = mount_point;
  mount.fs_type = "nfs4";
  return mount;
}

TEST(SharedReaders, AReadThatHangsHoldsUpNoQuestionWhetherTheFileSystemAnswers) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  const std::vector<MountEntry> mounts = {NetworkMount("/mnt/a")};
  SharedReaders readers({CONNECT_HA_SHARED_READER_CHILD});
  const auto reads = readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kReads);
  const auto liveness = readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kLiveness);
  EXPECT_EQ(readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kReads), reads);
  ASSERT_TRUE(reads->ReadFile(directory / "a").ok());
  kill(reads->pid(), SIGSTOP);
  EXPECT_TRUE(liveness->Stat(directory / "a", false).ok());
  EXPECT_NE(liveness->pid(), reads->pid());
}

TEST(SharedReaders, WorkThatHangsHoldsUpNeitherReadsNorTheQuestionWhetherItAnswers) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  const std::vector<MountEntry> mounts = {NetworkMount("/mnt/a")};
  SharedReaders readers({CONNECT_HA_SHARED_READER_CHILD});
  const auto work = readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kWork);
  ASSERT_TRUE(work->ReadFile(directory / "a").ok());
  kill(work->pid(), SIGSTOP);
  for (const auto lane : {SharedReaders::Lane::kReads, SharedReaders::Lane::kLiveness}) {
    EXPECT_TRUE(readers.Get(mounts, "/mnt/a", lane)->Stat(directory / "a", false).ok());
  }
}

// What is slower than that is only slow (README).
TEST(SharedReaders, WorkHangsAfterThirtySecondsAndAnyOtherReadAfterFive) {
  const SharedReaderOptions work = SharedReaders::LimitsOf(SharedReaders::Lane::kWork);
  EXPECT_EQ(work.deadline, std::chrono::seconds(30));
  EXPECT_EQ(work.kill_after, std::chrono::seconds(60));
  for (const auto lane : {SharedReaders::Lane::kReads, SharedReaders::Lane::kLiveness}) {
    EXPECT_EQ(SharedReaders::LimitsOf(lane).deadline, std::chrono::seconds(5));
  }
}

// Its process waits for the mount that was taken away, and may do so for ever.
TEST(SharedReaders, OneThatHangsIsLeftWhereAnotherFileSystemIsMountedByNow) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  std::vector<MountEntry> mounts = {NetworkMount("/mnt/a")};
  mounts[0].device = "0:52";
  SharedReaders readers({CONNECT_HA_SHARED_READER_CHILD});
  const auto before = readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kWork);
  ASSERT_TRUE(before->ReadFile(directory / "a").ok());
  kill(before->pid(), SIGSTOP);
  mounts[0].device = "0:53";
  const auto after = readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kWork);
  EXPECT_NE(after, before);
  EXPECT_TRUE(after->ReadFile(directory / "a").ok());
  EXPECT_EQ(readers.Get(mounts, "/mnt/a", SharedReaders::Lane::kWork), after);
}

TEST(SharedReaders, EndWithTheMountThatTheyReadFrom) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  SharedReaders readers({CONNECT_HA_SHARED_READER_CHILD});
  const std::vector<MountEntry> both = {NetworkMount("/mnt/a"), NetworkMount("/mnt/b")};
  std::weak_ptr<SharedReader> gone = readers.Get(both, "/mnt/a", SharedReaders::Lane::kReads);
  std::weak_ptr<SharedReader> there = readers.Get(both, "/mnt/b", SharedReaders::Lane::kReads);
  EXPECT_FALSE(gone.expired());
  readers.Get({NetworkMount("/mnt/b"), NetworkMount("/mnt/c")}, "/mnt/c",
              SharedReaders::Lane::kReads);
  EXPECT_TRUE(gone.expired());
  EXPECT_FALSE(there.expired());
}

}  // namespace
}  // namespace connect_ha
