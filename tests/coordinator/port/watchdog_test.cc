#include "coordinator/watchdog.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "tests/programs/process.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

using Moment = std::chrono::steady_clock::time_point;

const Moment kNow{std::chrono::hours(5)};

LoopProgress Turned(std::chrono::steady_clock::duration ago) {
  LoopProgress progress;
  progress.turned = kNow - ago;
  return progress;
}

// It turned so long ago, and has been in a call of the store ever since.
LoopProgress Waits(std::chrono::steady_clock::duration ago) {
  LoopProgress progress = Turned(ago);
  progress.waiting_since = progress.turned;
  return progress;
}

TEST(JudgeLoop, ALoopThatTurnsLives) {
  const LoopVerdict verdict = JudgeLoop(Turned(seconds(60)), kNow);
  EXPECT_TRUE(verdict.lives);
  EXPECT_EQ(verdict.status, "serving");
}

TEST(JudgeLoop, ALoopThatDoesNotTurnAndWaitsForNothingIsDead) {
  const LoopVerdict verdict = JudgeLoop(Turned(seconds(61)), kNow);
  EXPECT_FALSE(verdict.lives);
  EXPECT_EQ(verdict.status, "its loop has not turned for 61 s");
}

// On a busy coordinator some write is always under way; on a slow disk, for long.
TEST(JudgeLoop, ALoopThatDoesNotTurnBesideTheWritesOfOthersIsDead) {
  LoopProgress progress = Turned(seconds(61));
  for (const milliseconds write : {milliseconds(3), milliseconds(200), milliseconds(60'000)}) {
    progress.writing_since = kNow - write;
    const LoopVerdict verdict = JudgeLoop(progress, kNow);
    EXPECT_FALSE(verdict.lives) << write.count();
    EXPECT_EQ(verdict.status, "its loop has not turned for 61 s") << write.count();
  }
}

TEST(JudgeLoop, ALoopThatWaitsForTheDiskLivesForFiveMinutes) {
  const LoopVerdict waits = JudgeLoop(Waits(seconds(299)), kNow);
  EXPECT_TRUE(waits.lives);
  EXPECT_EQ(waits.status, "waits for the disk below the state directory: a write has taken 299 s");
  EXPECT_FALSE(JudgeLoop(Waits(minutes(5)), kNow).lives);
}

TEST(JudgeLoop, WhatALoopHasWaitedIsNotWhatItWorks) {
  LoopProgress progress = Turned(seconds(150));
  progress.waited = seconds(90);
  EXPECT_TRUE(JudgeLoop(progress, kNow).lives);
  progress.waited = seconds(89);
  EXPECT_FALSE(JudgeLoop(progress, kNow).lives);
}

TEST(JudgeLoop, ALoopThatWritesWithoutEndIsDead) {
  LoopProgress progress = Turned(minutes(5));
  progress.waiting_since = kNow - milliseconds(3);
  progress.waited = minutes(5) - milliseconds(3);
  const LoopVerdict verdict = JudgeLoop(progress, kNow);
  EXPECT_FALSE(verdict.lives);
  EXPECT_EQ(verdict.status, "its loop has not turned for 300 s");
}

TEST(JudgeLoop, ASlowWriteOfOthersIsSaidAndHarmsNobody) {
  LoopProgress progress = Turned(seconds(0));
  progress.writing_since = kNow - minutes(7);
  const LoopVerdict verdict = JudgeLoop(progress, kNow);
  EXPECT_TRUE(verdict.lives);
  EXPECT_EQ(verdict.status,
            "waits for the disk below the state directory: a write has taken 420 s");
  progress.writing_since = kNow - seconds(4);
  EXPECT_EQ(JudgeLoop(progress, kNow).status, "serving");
}

TEST(Watchdog, SeesWhatItsLoopWaitsForAndNotWhatOthersDo) {
  Watchdog watchdog([] { return std::optional<Moment>(kNow); });
  EXPECT_EQ(watchdog.Progress().writing_since, kNow);
  std::thread([&watchdog] {
    const StoreWait of_another;
    EXPECT_FALSE(watchdog.Progress().waiting_since.has_value());
  }).join();
  EXPECT_EQ(watchdog.Progress().waited.count(), 0);
  {
    const StoreWait own;
    EXPECT_TRUE(watchdog.Progress().waiting_since.has_value());
    while (std::chrono::steady_clock::now() == *watchdog.Progress().waiting_since) {
    }
  }
  EXPECT_FALSE(watchdog.Progress().waiting_since.has_value());
  EXPECT_GT(watchdog.Progress().waited.count(), 0);
  watchdog.Turned();
  EXPECT_EQ(watchdog.Progress().waited.count(), 0);
}

// As an fsync of eight seconds once kept systemd unfed for 72.
TEST(Watchdog, FeedsWhileTheLoopWaits) {
  NotifySocket systemd;
  std::vector<std::string> variables = systemd.Environment(100);
  for (std::string& variable : variables) {
    const size_t equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  unsetenv("WATCHDOG_PID");
  {
    const auto since = std::chrono::steady_clock::now() - seconds(8);
    Watchdog watchdog([since] { return std::make_optional(since); });
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(systemd.Await("WATCHDOG=1"));
  }
  for (const std::string& variable : variables) {
    unsetenv(variable.substr(0, variable.find('=')).c_str());
  }
}

}  // namespace
}  // namespace connect_ha
