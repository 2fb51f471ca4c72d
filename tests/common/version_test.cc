#include "common/version.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(Version, AreOrderedByTheirNumbers) {
  EXPECT_LT(CompareVersions("2024.08.0", "2024.11.0"), 0);
  EXPECT_LT(CompareVersions("2024.8.0~ubuntu22", "2024.11.0-1"), 0);
  EXPECT_GT(CompareVersions("2025.01.0", "2024.12.1"), 0);
  EXPECT_GT(CompareVersions("4.10.0", "4.9.9"), 0);
}

TEST(Version, SpelledInAnotherWayAreTheSame) {
  EXPECT_EQ(CompareVersions("2024.08.0~ubuntu22", "2024.8.0-1"), 0);
  EXPECT_EQ(CompareVersions("2024.08.0+build7", "v2024.08.0"), 0);
}

TEST(Version, APreReleaseIsOlderThanItsRelease) {
  EXPECT_LT(CompareVersions("2024.08.0-dev", "2024.08.0"), 0);
  EXPECT_LT(CompareVersions("2024.08.0-dev", "2024.08.0-preview"), 0);
  EXPECT_GT(CompareVersions("2024.09.0-dev", "2024.08.0"), 0);
}

}  // namespace
}  // namespace connect_ha
