#include "common/connect/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace connect_ha {
namespace {

TEST(Utf8Test, TakesWellFormedTextOfEveryLength) {
  const std::string text =
      "a\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
  EXPECT_EQ(FindInvalidUtf8OrNul(text, 0), text.size());
  EXPECT_EQ(FindInvalidUtf8OrNul("", 0), 0U);
}

TEST(Utf8Test, FindsWhatIsNot) {
  const char* wrong[] = {"\x80",              // a continuation alone
                         "\xc1\xbf",          // overlong, two bytes
                         "\xe0\x9f\xbf",      // overlong, three
                         "\xf0\x8f\xbf\xbf",  // overlong, four
                         "\xed\xa0\x80",      // a surrogate
                         "\xf4\x90\x80\x80",  // beyond U+10FFFF
                         "\xf5\x80\x80\x80",
                         "\xff",
                         "\xc3",
                         "\xe2\x82",
                         "\xc3z"};
  for (const char* bytes : wrong) {
    EXPECT_EQ(FindInvalidUtf8OrNul(std::string("ab") + bytes, 0), 2U);
  }
}

TEST(Utf8Test, FindsNulAndGoesOnFromWhereItIsTold) {
  const std::string text("a\0b\0", 4);
  EXPECT_EQ(FindInvalidUtf8OrNul(text, 0), 1U);
  EXPECT_EQ(FindInvalidUtf8OrNul(text, 2), 3U);
}

}  // namespace
}  // namespace connect_ha
