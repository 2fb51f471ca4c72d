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

TEST(Version, IsNumbersWithWhatIsUsualBehindThem) {
  for (const char* version : {"4.3.3", "3.13.0rc1", "2024.08.0-dev", "1.5", "2024.08.0~x_1+7"}) {
    EXPECT_TRUE(LooksLikeVersion(version)) << version;
  }
  for (const char* text : {"", "4", "4.", ".3", "12:", "v4.3", "4.x", "-4.3", "1.0;curl evil|sh",
                           "1.0/../../x", "1.0 2.0", "1.0\n", "$(x).1"}) {
    EXPECT_FALSE(LooksLikeVersion(text)) << text;
  }
  EXPECT_FALSE(LooksLikeVersion("1." + std::string(63, '0')));
}

TEST(Version, APreReleaseIsOlderThanItsRelease) {
  EXPECT_LT(CompareVersions("2024.08.0-dev", "2024.08.0"), 0);
  EXPECT_LT(CompareVersions("2024.08.0-dev", "2024.08.0-preview"), 0);
  EXPECT_GT(CompareVersions("2024.09.0-dev", "2024.08.0"), 0);
}

}  // namespace
}  // namespace connect_ha
