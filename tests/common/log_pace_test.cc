#include "common/log_pace.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'722'513'600)};

TEST(LogPace, AllowsAKeyOnceAMinute) {
  LogPace pace;
  EXPECT_TRUE(pace.Allows("10.0.0.1", kNoon));
  EXPECT_FALSE(pace.Allows("10.0.0.1", kNoon + seconds(59)));
  EXPECT_TRUE(pace.Allows("10.0.0.1", kNoon + seconds(60)));
}

TEST(LogPace, AllowsTenKeysInAMinute) {
  LogPace pace;
  int allowed = 0;
  for (int i = 0; i < 1000; ++i) allowed += pace.Allows(std::to_string(i), kNoon);
  EXPECT_EQ(allowed, 10);
  EXPECT_TRUE(pace.Allows("another", kNoon + seconds(60)));
}

TEST(LogPace, AClockThatWasSetBackKeepsNobodyOutOfTheLog) {
  LogPace pace;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pace.Allows(std::to_string(i), kNoon));
  const Time back = kNoon - std::chrono::hours(1);
  EXPECT_TRUE(pace.Allows("0", back));
  EXPECT_FALSE(pace.Allows("0", back + seconds(59)));
  EXPECT_TRUE(pace.Allows("another", back));
}

// Of two threads, the one that looked at the clock first may come second.
TEST(LogPace, CallsThatOvertakeEachOtherAreNoClockThatWasSetBack) {
  LogPace pace;
  EXPECT_TRUE(pace.Allows("10.0.0.1", kNoon));
  EXPECT_FALSE(pace.Allows("10.0.0.1", kNoon - std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace connect_ha
