#include "agent/loop/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    options_.interval = milliseconds(4);
    options_.patience = seconds(300);
    options_.feed = [this] { ++fed_; };
    options_.now = [this] { return steady_clock::time_point(seconds(now_.load())); };
  }
  bool IsFedAgain() {
    const int before = fed_;
    const auto end = steady_clock::now() + seconds(30);
    while (fed_ <= before + 1 && steady_clock::now() < end) std::this_thread::yield();
    return fed_ > before + 1;
  }

  std::atomic<int> fed_{0};
  std::atomic<int> now_{1'000};
  LoopWatchdogOptions options_;
};

TEST_F(WatchdogTest, IsFedWhileTheLoopIsHeldUp) {
  LoopWatchdog watchdog(options_);
  now_ += 299;  // one turn, all that time
  EXPECT_TRUE(IsFedAgain());
}

TEST_F(WatchdogTest, IsFedNoMoreWhenTheLoopDoesNotTurnAndAgainWhenItDoes) {
  const LogCapture log;
  LoopWatchdog watchdog(options_);
  now_ += 301;
  EXPECT_EQ(log.Await("event=loop-hung seconds=300").size(), 1u);
  const int fed = fed_;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(fed_, fed);
  watchdog.Progress();
  EXPECT_TRUE(IsFedAgain());
}

TEST_F(WatchdogTest, IsLeftAloneWhereSystemdWantsNone) {
  options_.interval = milliseconds(0);
  { LoopWatchdog watchdog(options_); }
  EXPECT_EQ(fed_, 0);
}

}  // namespace
}  // namespace connect_ha
