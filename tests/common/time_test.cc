#include "common/time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(TimeTest, TimestampsKeepMicrosecondsOnBothSidesOf1970) {
  for (const int64_t us : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1'700'000'000'123'456},
                           int64_t{-1'500'000}, int64_t{-2'000'000}}) {
    const auto timestamp = ToProto(Time(microseconds(us)));
    EXPECT_EQ(FromProto(timestamp), Time(microseconds(us)));
    EXPECT_GE(timestamp.nanos(), 0) << us;
  }
}

TEST(TimeTest, WhatIsNoTimestampIsTheNearestOne) {
  google::protobuf::Timestamp odd;
  odd.set_seconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(FormatUtc(FromProto(odd)), "9999-12-31T23:59:59Z");
  odd.set_seconds(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(FromProto(odd), Time(seconds(-62'135'596'800)));
}

TEST(TimeTest, FormatsUtc) {
  EXPECT_EQ(FormatUtc(Time(seconds(1722513600))), "2024-08-01T12:00:00Z");
  EXPECT_EQ(FormatUtc(Time(milliseconds(999))), "1970-01-01T00:00:00Z");
}

TEST(TimeTest, FormatsSpansInTheTwoLargestUnits) {
  EXPECT_EQ(FormatSpan(seconds(0)), "0s");
  EXPECT_EQ(FormatSpan(milliseconds(1999)), "1s");
  EXPECT_EQ(FormatSpan(seconds(60)), "1m");
  EXPECT_EQ(FormatSpan(seconds(310)), "5m 10s");
  EXPECT_EQ(FormatSpan(hours(3) + minutes(2) + seconds(59)), "3h 2m");
  EXPECT_EQ(FormatSpan(hours(97)), "4d 1h");
  EXPECT_EQ(FormatSpan(seconds(-5)), "0s");
}

}  // namespace
}  // namespace connect_ha
