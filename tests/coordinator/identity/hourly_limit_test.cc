#include "coordinator/identity/hourly_limit.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

using std::chrono::minutes;

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

TEST(HourlyLimit, CountsTheHourBeforeForEachCaller) {
  HourlyLimit limit(2);
  EXPECT_TRUE(limit.Allows("a", kNow));
  EXPECT_TRUE(limit.Allows("a", kNow + minutes(30)));
  EXPECT_FALSE(limit.Allows("a", kNow + minutes(59)));
  EXPECT_TRUE(limit.Allows("b", kNow + minutes(59)));
  EXPECT_TRUE(limit.Allows("a", kNow + minutes(60)));
  EXPECT_FALSE(limit.Allows("a", kNow + minutes(61)));
}

TEST(HourlyLimit, AClockThatWasSetBackLocksNobodyOut) {
  HourlyLimit limit(1);
  EXPECT_TRUE(limit.Allows("a", kNow));
  EXPECT_TRUE(limit.Allows("a", kNow - minutes(600)));
}

TEST(HourlyLimit, WhatIsAheadOfAClockThatWasSetBackIsNotCounted) {
  HourlyLimit limit(2);
  EXPECT_TRUE(limit.Allows("a", kNow));
  EXPECT_TRUE(limit.Allows("a", kNow + minutes(50)));
  EXPECT_TRUE(limit.Allows("a", kNow + minutes(10)));
  EXPECT_FALSE(limit.Allows("a", kNow + minutes(11)));
}

// Of two threads, the one that looked at the clock first may come second.
TEST(HourlyLimit, CallsThatOvertakeEachOtherAreCounted) {
  HourlyLimit limit(1);
  EXPECT_TRUE(limit.Allows("a", kNow));
  EXPECT_FALSE(limit.Allows("a", kNow - std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace connect_ha
