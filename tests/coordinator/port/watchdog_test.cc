#include "coordinator/watchdog.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/programs/process.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

using Moment = std::chrono::steady_clock::time_point;

const Moment kNow{std::chrono::hours(5)};

TEST(JudgeLoop, ALoopThatTurnsLives) {
  const LoopVerdict verdict = JudgeLoop({kNow - seconds(60), std::nullopt}, kNow);
  EXPECT_TRUE(verdict.lives);
  EXPECT_EQ(verdict.status, "serving");
}

TEST(JudgeLoop, ALoopThatDoesNotTurnAndWaitsForNothingIsDead) {
  const LoopVerdict verdict = JudgeLoop({kNow - seconds(61), std::nullopt}, kNow);
  EXPECT_FALSE(verdict.lives);
  EXPECT_EQ(verdict.status, "its loop has not turned for 61 s");
}

TEST(JudgeLoop, ALoopThatWaitsForTheDiskLivesForFiveMinutes) {
  const LoopVerdict waits = JudgeLoop({kNow - seconds(299), kNow - seconds(299)}, kNow);
  EXPECT_TRUE(waits.lives);
  EXPECT_EQ(waits.status, "waits for the disk below the state directory: a write has taken 299 s");
  EXPECT_FALSE(JudgeLoop({kNow - minutes(5), kNow - minutes(5)}, kNow).lives);
}

TEST(JudgeLoop, ASlowWriteOfOthersIsSaidAndHarmsNobody) {
  const LoopVerdict verdict = JudgeLoop({kNow, kNow - minutes(7)}, kNow);
  EXPECT_TRUE(verdict.lives);
  EXPECT_EQ(verdict.status,
            "waits for the disk below the state directory: a write has taken 420 s");
  EXPECT_EQ(JudgeLoop({kNow, kNow - seconds(4)}, kNow).status, "serving");
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
