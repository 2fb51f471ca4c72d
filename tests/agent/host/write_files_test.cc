// What only a real file system can show of changes that are interrupted or meddled with.
#include "agent/host/files/write_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "agent/host/files/files.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using Names = std::vector<std::string>;

constexpr char kTemporary[] = ".a.connect-ha-new";

FileAttributes Owned(uint32_t mode) {
  FileAttributes attributes;
  attributes.mode = mode;
  attributes.uid = geteuid() == 0 ? 1234 : geteuid();
  attributes.gid = geteuid() == 0 ? 4321 : getegid();
  return attributes;
}

// Writes ten bytes in a process that may write three. `on_signal`: what the kernel's signal then
// does to it.
int WriteWhereThreeBytesFit(const std::string& path, sighandler_t on_signal) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core = {0, 0};
    const rlimit three_bytes = {3, 3};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &three_bytes);
    std::signal(SIGXFSZ, on_signal);
    _exit(static_cast<int>(WriteFileHere(path, "0123456789", Owned(0640)).code()));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(WriteFiles, AKilledWriteLeavesTheOldFileAndOneBesideWithTheRightMode) {
  TemporaryDirectory directory;
  directory.Write("a", "old");
  const int status = WriteWhereThreeBytesFit(directory / "a", SIG_DFL);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(*ReadFileHere(directory / "a"), "old");
  EXPECT_EQ(*ReadFileHere(directory / kTemporary), "012");
  const auto left = StatHere(directory / kTemporary, false);
  EXPECT_EQ(left->mode, 0640u);
  EXPECT_EQ(left->uid, Owned(0640).uid);
  EXPECT_EQ(left->gid, Owned(0640).gid);
}

TEST(WriteFiles, WhatAKilledWriteLeftIsGoneAfterTheNext) {
  TemporaryDirectory directory;
  directory.Write(kTemporary, "of a killed run");
  chmod((directory / kTemporary).c_str(), 0666);
  ASSERT_TRUE(WriteFileHere(directory / "a", "new", Owned(0600)).ok());
  EXPECT_EQ(*ListDirectoryHere(directory.path()), Names{"a"});
  EXPECT_EQ(StatHere(directory / "a", false)->mode, 0600u);
}

TEST(WriteFiles, AFullDiskIsToldAndLeavesNothing) {
  TemporaryDirectory directory;
  const int status = WriteWhereThreeBytesFit(directory / "a", SIG_IGN);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(*ListDirectoryHere(directory.path()), Names{});
}

TEST(WriteFiles, ALinkPlantedBesideIsNotFollowed) {
  TemporaryDirectory directory;
  directory.Write("victim", "untouched");
  std::filesystem::create_symlink("victim", directory / kTemporary);
  ASSERT_TRUE(WriteFileHere(directory / "a", "new", Owned(0600)).ok());
  EXPECT_EQ(*ReadFileHere(directory / "victim"), "untouched");
  EXPECT_EQ(*ReadFileHere(directory / "a"), "new");
}

TEST(WriteFiles, ADirectoryIsOpenToAllWhateverTheUmask) {
  TemporaryDirectory directory;
  // Left by a run that was killed.
  std::filesystem::create_directory(directory / kTemporary);
  const mode_t before = umask(0077);
  EXPECT_TRUE(MakeDirectoryHere(directory / "a/b").ok());
  umask(before);
  EXPECT_EQ(StatHere(directory / "a", false)->mode, 0755u);
  EXPECT_EQ(StatHere(directory / "a/b", false)->mode, 0755u);
  EXPECT_EQ(*ListDirectoryHere(directory.path()), Names{"a"});
}

TEST(WriteFiles, SetsNothingOfAPipe) {
  TemporaryDirectory directory;
  mkfifo((directory / "pipe").c_str(), 0600);
  EXPECT_EQ(SetAttributesHere(directory / "pipe", Owned(0644)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(WriteFiles, RemovesNothingWhereAFileSystemIsMountedBelow) {
  TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "tree/inner");
  std::filesystem::create_symlink("tree", directory / "link");
  directory.Write("tree/a", "");
  MountEntry mount;
  mount.mount_point = directory / "tree/inner";
  for (const char* path : {"tree", "tree/inner", "link/inner"}) {
    EXPECT_EQ(RemoveHere(directory / path, {mount}).code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(*ListDirectoryHere(directory / "tree"), (Names{"a", "inner"}));
  mount.mount_point = directory / "tree-2";
  EXPECT_TRUE(RemoveHere(directory / "tree", {mount}).ok());
}

}  // namespace
}  // namespace connect_ha
