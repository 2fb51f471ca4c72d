#include "agent/host/linux_host.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/files/files.h"
#include "agent/host/mounts/network_walk.h"
#include "agent/host/systemd/unit_environment.h"
#include "tests/agent/host/fake_systemd.h"
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

TEST(ListDirectoryHere, IsGivenUpWhereThereAreMoreNamesThanAnyoneNeeds) {
  TemporaryDirectory directory;
  for (const char* name : {"c", "a", "b"}) directory.Write(name, "");
  EXPECT_EQ(*ListDirectoryHere(directory.path(), 3), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(ListDirectoryHere(directory.path(), 2).status(),
            absl::ResourceExhaustedError("cannot list " + directory.path() +
                                         ": more than 2 names are in it"));
}

TEST(HashFileHere, IsGivenUpWhereItTakesTooLong) {
  const TemporaryDirectory directory;
  directory.Write("file", "content");
  EXPECT_TRUE(HashFileHere(directory / "file", "md5").ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      HashFileHere(directory / "file", "md5", std::chrono::milliseconds(-1)).status()));
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

TEST(LinuxHost, WorksOnNoLocalFileSystem) {
  TemporaryDirectory directory;
  LinuxHost host;
  EXPECT_TRUE(absl::IsFailedPrecondition(host.WorkOnStorage('w', directory.path(), "").status()));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Errors, AStaleFileHandleIsKnownByItsWords) {
  EXPECT_TRUE(IsStale(ErrnoStatus(ESTALE, "cannot look at /mnt/a")));
  EXPECT_FALSE(IsStale(ErrnoStatus(EIO, "cannot look at /mnt/a")));
  EXPECT_FALSE(IsStale(absl::OkStatus()));
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
  std::vector<std::string> lines;
  for (const EnvironmentLine& line :
       ParseEnvironmentFile("# comment\n; comment\n\nA=1\nB = two words  \nC=\"q \\\"x\\\" \"\n"
                            "D='$A \\n'\nE=long\\\nline\nno assignment\nF=")) {
    lines.push_back(absl::StrCat(line.line, " ", line.assignment));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"4 A=1", "5 B=two words", "6 C=q \"x\" ", "7 D=$A \\n",
                                             "8 E=longline", "11 F="}));
}

TEST(UnitEnvironment, FindsTheLineThatAssignsAVariable) {
  const std::string unit =
      "[Service]\nExecStart=/bin/x CONNECT_A=0\nEnvironment=CONNECT_A=1 \"CONNECT_B=2 3\"\n"
      "# Environment=CONNECT_C=1\nEnvironment = X=CONNECT_C=1 \\\n  'CONNECT_D=1'\n"
      "Environment=CONNECT_A=2\n";
  EXPECT_EQ(FindEnvironmentLine(unit, "CONNECT_A"), 7u);
  EXPECT_EQ(FindEnvironmentLine(unit, "CONNECT_B"), 3u);
  EXPECT_EQ(FindEnvironmentLine(unit, "CONNECT_C"), 0u);
  EXPECT_EQ(FindEnvironmentLine(unit, "CONNECT_D"), 5u);
  EXPECT_EQ(FindEnvironmentLine(unit, "CONNECT"), 0u);
}

TEST(LinuxHost, ReadsAProcessEnvironmentAndWhereAUnitsOwnIsWritten) {
  FakeSystemd systemd;
  LinuxHost host(systemd.address(), {});
  EXPECT_EQ(host.ReadProcessEnvironment("other.service").status().code(),
            absl::StatusCode::kNotFound);
  const auto variables = host.ReadUnitEnvironment("rstudio-connect.service");
  ASSERT_TRUE(variables.ok()) << variables.status();
  ASSERT_EQ(variables->size(), 2u);
  EXPECT_EQ(variables->at(1).assignment, "CONNECT_A=1");
  EXPECT_EQ(variables->at(1).line, 0u);
  systemd.SetMainProcess(static_cast<uint32_t>(getpid()));
  const auto environment = host.ReadProcessEnvironment("rstudio-connect.service");
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ(
      std::count(environment->begin(), environment->end(), absl::StrCat("PATH=", getenv("PATH"))),
      1);
}

// A file put back with its old time of modification is another one all the same.
TEST(LinuxHost, AChangeShowsThoughItsTimeIsPutBack) {
  const TemporaryDirectory directory;
  directory.Write("file", "one");
  LinuxHost host;
  const FileStatus before = host.Stat(directory / "file").value();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  directory.Write("file", "two");
  const int64_t microseconds = before.modified_at.time_since_epoch().count();
  timeval time{};
  time.tv_sec = microseconds / 1'000'000;
  time.tv_usec = microseconds % 1'000'000;
  const timeval times[] = {time, time};
  ASSERT_EQ(utimes((directory / "file").c_str(), times), 0);
  FileStatus after = host.Stat(directory / "file").value();
  EXPECT_EQ(after.modified_at, before.modified_at);
  EXPECT_GT(after.changed_at, before.changed_at);
  after.inode = before.inode;
  EXPECT_FALSE(SameFile(before, after));
}

}  // namespace
}  // namespace connect_ha
