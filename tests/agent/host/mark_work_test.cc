#include "agent/host/processes/mark_work.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

class MarkWork : public testing::Test {
 protected:
  MarkWork() {
    struct stat status {};
    stat(directory_.path().c_str(), &status);
    device_ = absl::StrCat(major(status.st_dev), ":", minor(status.st_dev));
  }
  absl::StatusOr<v1::ClusterMark> Ask(const v1::MarkRequest& request) {
    const auto answer = ClusterMarkHere(directory_.path(), request.SerializeAsString());
    if (!answer.ok()) return answer.status();
    v1::ClusterMark mark;
    EXPECT_TRUE(mark.ParseFromString(*answer));
    return mark;
  }
  absl::StatusOr<v1::ClusterMark> Read() {
    v1::MarkRequest request;
    request.set_device(device_);
    return Ask(request);
  }
  absl::StatusOr<v1::ClusterMark> Keep(const std::string& cluster, const std::string& node) {
    v1::MarkRequest request;
    request.set_device(device_);
    request.mutable_mark()->set_cluster(cluster);
    request.mutable_mark()->set_id("0123456789abcdef");
    request.set_node(node);
    return Ask(request);
  }
  std::string Own(const std::string& name = "") { return directory_ / (".connect-ha" + name); }

  TemporaryDirectory directory_;
  std::string device_;
};

TEST_F(MarkWork, OneIsWrittenOnceAndReadByAll) {
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Own()));  // a look makes nothing
  const auto written = Keep("lab", "node-1");
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->cluster(), "lab");
  EXPECT_EQ(Read()->id(), "0123456789abcdef");
  std::ifstream file(Own("/cluster"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, "{\"cluster\":\"lab\",\"id\":\"0123456789abcdef\"}\n");
  struct stat status {};
  stat(Own("/cluster").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
}

TEST_F(MarkWork, WhatIsThereIsNeverOverwritten) {
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  const auto found = Keep("other", "node-2");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->cluster(), "lab");
  EXPECT_EQ(Read()->cluster(), "lab");
}

TEST_F(MarkWork, WhatAKilledCallLeftIsReplacedAndNothingElseStays) {
  std::filesystem::create_directory(Own());
  std::filesystem::permissions(Own(), std::filesystem::perms(0700));
  std::ofstream(Own("/.cluster.node-1.new")) << "{";
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  int names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Own())) {
    EXPECT_EQ(entry.path().filename().string(), "cluster");
    ++names;
  }
  EXPECT_EQ(names, 1);
}

TEST_F(MarkWork, AsWhichGenerationConnectMayStartIsWrittenAnew) {
  const auto keep = [this](uint64_t generation) {
    v1::MarkRequest request;
    request.set_device(device_);
    request.set_node("node-1");
    request.mutable_not_before()->set_generation(generation);
    request.mutable_not_before()->set_lineage("L");
    return Ask(request);
  };
  EXPECT_EQ(keep(7).status().code(), absl::StatusCode::kNotFound) << "beside a mark alone";
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  EXPECT_FALSE(Read()->has_not_before());
  for (const uint64_t generation : {uint64_t{7}, uint64_t{9}}) {
    const auto written = keep(generation);
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(written->cluster(), "lab");
    EXPECT_EQ(Read()->not_before().generation(), generation);
    EXPECT_EQ(Read()->not_before().lineage(), "L");
  }
  EXPECT_EQ(Keep("lab", "node-2")->not_before().generation(), 9u);
  EXPECT_FALSE(std::filesystem::exists(Own("/.not-before.node-1.new")));
  // Nodes write it anew.
  std::ofstream(Own("/not-before")) << "no JSON";
  ASSERT_TRUE(Read().ok());
  EXPECT_FALSE(Read()->has_not_before());
  EXPECT_EQ(keep(9)->not_before().generation(), 9u);
}

TEST_F(MarkWork, NoLinkIsFollowed) {
  directory_.Write("elsewhere", "{\"cluster\":\"a\",\"id\":\"b\"}");
  std::filesystem::create_directory(Own());
  std::filesystem::permissions(Own(), std::filesystem::perms(0700));
  std::filesystem::create_symlink("../elsewhere", Own("/cluster"));
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss) << Read().status();
  EXPECT_FALSE(Keep("lab", "node-1").ok());
  std::filesystem::remove_all(Own());
  std::filesystem::create_directory(directory_ / "theirs");
  std::filesystem::create_directory_symlink("theirs", Own());
  EXPECT_FALSE(Keep("lab", "node-1").ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "theirs"));
}

TEST_F(MarkWork, WhatOthersMayWriteToIsNotBelieved) {
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  std::filesystem::permissions(Own(), std::filesystem::perms(0777));
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MarkWork, WhatIsNoMarkIsSaid) {
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  for (const std::string& text : {std::string("no JSON"), std::string("{}"),
                                  std::string(5'000, ' ') + "{\"cluster\":\"a\",\"id\":\"b\"}"}) {
    std::ofstream(Own("/cluster")) << text;
    EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss) << text.substr(0, 20);
  }
}

// It would stand in what root is told to type.
TEST_F(MarkWork, AMarkWithOtherThanNamesIsNone) {
  ASSERT_TRUE(Keep("lab", "node-1").ok());
  for (const char* text : {"{\"cluster\":\"lab\\nfix: rm -r /\",\"id\":\"b\"}",
                           "{\"cluster\":\"lab\",\"id\":\"b; rm -r /\"}"}) {
    std::ofstream(Own("/cluster")) << text;
    const absl::Status status = Read().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_EQ(status.message().find("rm -r"), absl::string_view::npos) << status;
  }
}

TEST_F(MarkWork, InAFolderThatSomebodyElseMadeNothingIsMarked) {
  std::filesystem::create_directory(Own());
  std::filesystem::permissions(Own(), std::filesystem::perms(0700));
  if (geteuid() != 0) {  // who is not root cannot give a folder away
    EXPECT_NE(chown(Own().c_str(), 1234, 1234), 0);
    return;
  }
  ASSERT_EQ(chown(Own().c_str(), 1234, 1234), 0);
  const absl::Status status = Keep("lab", "node-1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("somebody else made it"), absl::string_view::npos) << status;
  EXPECT_TRUE(std::filesystem::is_empty(Own()));
}

TEST_F(MarkWork, NothingIsTouchedWhereSomethingElseIsMountedByNow) {
  device_ = "9999:9";
  EXPECT_EQ(Keep("lab", "node-1").status().code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(std::filesystem::exists(Own()));
}

TEST_F(MarkWork, OddRequestsAreRefused) {
  EXPECT_EQ(Keep("lab", "../x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Keep("", "node-1").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ClusterMarkHere(directory_.path(), "\xff").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace connect_ha
