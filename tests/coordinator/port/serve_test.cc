#include "coordinator/serve.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

int RestMs(int work_ms) {
  return static_cast<int>(RestAfter(std::chrono::milliseconds(work_ms)).count());
}

TEST(RestAfter, IsNineTimesTheWorkWithinBounds) {
  EXPECT_EQ(RestMs(0), 200);
  EXPECT_EQ(RestMs(20), 200);
  EXPECT_EQ(RestMs(100), 900);
  EXPECT_EQ(RestMs(1'000), 9'000);
  EXPECT_EQ(RestMs(2'000), 10'000);
  EXPECT_EQ(RestMs(3'600'000), 10'000);
}

}  // namespace
}  // namespace connect_ha
