// A disk on which there is no more room, as a process sees it: a limit to the size of its files.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "absl/strings/match.h"
#include "tests/coordinator/store/sqlite_stores.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

using SqliteFullTest = SqliteStoreTest;

// Returns the limit there was.
rlim_t LimitFiles(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &limit);
  return before;
}

// In a child, since the limit is the process's. 0: all is as it should be.
int RunInChild(int (*run)(const std::string& path), const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    _exit(run(path));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int WriteUntilNoRoom(const std::string& path) {
  auto store = SqliteStore::Open(path);
  if (!store.ok() || !(*store)->AddNode(ANode("a")).ok()) return 1;
  LimitFiles(512 * 1024);
  absl::Status status;
  for (int i = 0; status.ok() && i < 1000; ++i) {
    status = (*store)->PutReport(AReport("a", std::string(50'000, 'x')));
  }
  if (status.code() != absl::StatusCode::kResourceExhausted) return 2;
  if (!absl::StrContains(status.message(), "fix: make room")) return 3;
  return Reports(**store).size() == 1 ? 0 : 4;
}

TEST_F(SqliteFullTest, FullDiskIsAnErrorThatSaysSoAndReadingGoesOn) {
  EXPECT_EQ(RunInChild(WriteUntilNoRoom, path_), 0);
  const auto store = SqliteStore::Open(path_);
  EXPECT_TRUE(store.ok()) << store.status();
}

int TryEveryWriteWithoutRoom(const std::string& path) {
  auto store = SqliteStore::Open(path);
  if (!store.ok()) return 1;
  Furnish(**store);
  const std::string before = Everything(**store);
  const rlim_t unlimited = LimitFiles(std::filesystem::file_size(path + "-wal"));
  for (const auto& [write, status] : TryEveryWrite(**store)) {
    if (status.code() == absl::StatusCode::kResourceExhausted) continue;
    std::fprintf(stderr, "%s: %s\n", write.c_str(), status.ToString().c_str());
    return 2;
  }
  if (Everything(**store) != before || (*store)->superseded()) return 3;
  LimitFiles(unlimited);
  for (const auto& [write, status] : TryEveryWrite(**store)) {
    if (status.ok()) continue;
    std::fprintf(stderr, "%s: %s\n", write.c_str(), status.ToString().c_str());
    return 4;
  }
  const auto events = Events(**store);
  if (events.back().id() - events.front().id() + 1 != events.size()) return 5;
  return AuditIsWhole(**store) ? 0 : 6;
}

TEST_F(SqliteFullTest, WhatFindsNoRoomLeavesEverythingAsItWasAndSucceedsWhenThereIs) {
  EXPECT_EQ(RunInChild(TryEveryWriteWithoutRoom, path_), 0);
}

}  // namespace
}  // namespace connect_ha
