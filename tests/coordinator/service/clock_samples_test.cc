#include "coordinator/cluster/node/clock_samples.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000;

// The node's clock is `ahead`; the way up and the way down take so long.
v1::ClockExchange Exchange(int64_t at, int64_t ahead, int64_t up, int64_t down) {
  v1::ClockExchange exchange;
  exchange.set_agent_sent_us(kStart + at + ahead);
  exchange.set_coordinator_received_us(kStart + at + up);
  exchange.set_coordinator_sent_us(kStart + at + up + 10);
  exchange.set_agent_received_us(kStart + at + up + 10 + down + ahead);
  return exchange;
}

TEST(ClockSamplesTest, NothingIsKnownWithoutAnExchange) {
  EXPECT_FALSE(ClockSamples().Best().has_value());
}

TEST(ClockSamplesTest, OffsetIsNodeMinusCoordinatorAndItsErrorHalfTheRoundTrip) {
  ClockSamples samples;
  samples.Add(Exchange(0, 5'000, 300, 300));
  EXPECT_EQ(samples.Best()->offset_us(), 5'000);
  EXPECT_EQ(samples.Best()->error_us(), 300);
}

TEST(ClockSamplesTest, LopsidedRoundTripStaysWithinItsError) {
  ClockSamples samples;
  samples.Add(Exchange(0, -7'000, 100, 900));
  const auto best = samples.Best();
  EXPECT_NEAR(best->offset_us(), -7'000, best->error_us());
  EXPECT_EQ(best->error_us(), 500);
}

TEST(ClockSamplesTest, QuickestOfTheLastEightCounts) {
  ClockSamples samples;
  samples.Add(Exchange(0, 1'000, 50, 50));
  for (int i = 1; i <= 7; ++i) samples.Add(Exchange(i * 5'000'000, 2'000, 400, 400));
  EXPECT_EQ(samples.Best()->offset_us(), 1'000);
  samples.Add(Exchange(40'000'000, 2'000, 400, 400));
  EXPECT_EQ(samples.Best()->offset_us(), 2'000);
}

TEST(ClockSamplesTest, IncompleteAndImpossibleExchangesAreLeftOut) {
  ClockSamples samples;
  samples.Add({});
  v1::ClockExchange back_in_time = Exchange(0, 0, 100, 100);
  back_in_time.set_agent_received_us(kStart - 1);
  samples.Add(back_in_time);
  v1::ClockExchange negative = Exchange(0, 0, 100, 100);
  negative.set_coordinator_sent_us(kStart + 5'000);
  samples.Add(negative);
  EXPECT_FALSE(samples.Best().has_value());
}

TEST(ClockSamplesTest, ExchangeSentTwiceCountsOnce) {
  ClockSamples samples;
  for (int i = 0; i < 9; ++i) samples.Add(Exchange(0, 1'000, 50, 50));
  for (int i = 1; i <= 7; ++i) samples.Add(Exchange(i * 5'000'000, 2'000, 400, 400));
  EXPECT_EQ(samples.Best()->offset_us(), 1'000);
}

}  // namespace
}  // namespace connect_ha
