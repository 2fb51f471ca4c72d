#include "agent/host/linux_host.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/host/mounts/network_walk.h"
#include "agent/host/systemd/unit_environment.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

TEST(LinuxHost, ReadsFilesAndTheirStatus) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  chmod((directory / "a").c_str(), 0640);
  LinuxHost host;
  EXPECT_EQ(*host.ReadFile(directory / "a"), "content");
  const auto status = host.Stat(directory / "a");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->kind, FileStatus::Kind::kFile);
  EXPECT_EQ(status->mode, 0640u);
  EXPECT_EQ(status->uid, geteuid());
  EXPECT_EQ(status->size_bytes, 7u);
  EXPECT_LT(host.Now() - status->modified_at, std::chrono::minutes(5));
}

TEST(LinuxHost, ReadsFilesOfProcThatSayTheyAreEmpty) {
  LinuxHost host;
  EXPECT_FALSE(host.ReadFile("/proc/sys/kernel/osrelease")->empty());
}

TEST(LinuxHost, TellsAbsentFromUnreadable) {
  TemporaryDirectory directory;
  mkfifo((directory / "pipe").c_str(), 0600);
  LinuxHost host;
  EXPECT_EQ(host.ReadFile(directory / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(host.ReadFile(directory.path()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(host.ReadFile(directory / "pipe").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LinuxHost, FollowsALinkOrLooksAtIt) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  std::filesystem::create_symlink("a", directory / "link");
  LinuxHost host;
  EXPECT_EQ(host.Stat(directory / "link")->kind, FileStatus::Kind::kFile);
  EXPECT_EQ(host.LStat(directory / "link")->kind, FileStatus::Kind::kLink);
  EXPECT_EQ(*host.ReadLink(directory / "link"), "a");
  EXPECT_EQ(*host.ListDirectory(directory.path()), (std::vector<std::string>{"a", "link"}));
}

TEST(LinuxHost, LooksUpAccounts) {
  LinuxHost host;
  const auto root = host.LookUpUser("root");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(root->primary_group, "root");
  EXPECT_EQ(root->groups.front(), 0u);
  EXPECT_EQ(*host.LookUpGroup("root"), 0u);
  EXPECT_EQ(host.LookUpUser("no-such-user").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(host.LookUpGroup("no-such-group").status().code(), absl::StatusCode::kNotFound);
}

TEST(LinuxHost, MeasuresTheRootFileSystem) {
  LinuxHost host;
  const auto use = host.Use("/");
  ASSERT_TRUE(use.ok()) << use.status();
  EXPECT_GT(use->size_bytes, use->free_bytes);
}

TEST(NetworkWalk, FollowsLocalLinksButTouchesNoNetworkMount) {
  TemporaryDirectory directory;
  std::filesystem::create_symlink("/mnt/shared/data", directory / "link");
  MountEntry shared;
  shared.mount_point = "/mnt/shared";
  shared.fs_type = "nfs4";
  const std::vector<MountEntry> mounts = {shared};
  EXPECT_EQ(NetworkMountOnTheWay(mounts, directory / "link/x", true), "/mnt/shared");
  EXPECT_EQ(NetworkMountOnTheWay(mounts, directory / "link", true), "/mnt/shared");
  EXPECT_EQ(NetworkMountOnTheWay(mounts, directory / "link", false), std::nullopt);
  EXPECT_EQ(NetworkMountOnTheWay(mounts, "/mnt/../mnt/./shared/x", true), "/mnt/shared");
  EXPECT_EQ(NetworkMountOnTheWay(mounts, "/etc/passwd", true), std::nullopt);
}

TEST(UnitEnvironment, ReadsWhatSystemdReads) {
  EXPECT_EQ(
      ParseEnvironmentFile("# comment\n; comment\n\nA=1\nB = two words  \nC=\"q \\\"x\\\" \"\n"
                           "D='$A \\n'\nE=long\\\nline\nno assignment\nF="),
      (std::vector<std::string>{"A=1", "B=two words", "C=q \"x\" ", "D=$A \\n", "E=longline",
                                "F="}));
}

}  // namespace
}  // namespace connect_ha
