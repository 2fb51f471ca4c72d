#include "common/text/short_text.h"

#include <gtest/gtest.h>

#include <random>

#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

TEST(ShortTextTest, LeavesWhatIsShortAndPlain) {
  EXPECT_EQ(ShortText("", 10), "");
  EXPECT_EQ(ShortText("node-1", 6), "node-1");
  EXPECT_EQ(ShortText("Gr\xc3\xb6\xc3\x9f"
                      "e \xe2\x82\xac \xf0\x9f\x98\x80",
                      64),
            "Gr\xc3\xb6\xc3\x9f"
            "e \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(ShortTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(ShortText("abcdefgh", 7), "abcd...");
  EXPECT_EQ(ShortText("abc\xe2\x82\xac\xe2\x82\xac", 8), "abc...");
  EXPECT_EQ(ShortText("abc\xe2\x82\xac\xe2\x82\xac", 9), "abc\xe2\x82\xac\xe2\x82\xac");
  EXPECT_EQ(ShortText("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 7), "\xf0\x9f\x98\x80...");
  EXPECT_EQ(ShortText("abcdefgh", 3), "...");
}

TEST(ShortTextTest, ControlCharactersAndBrokenOnesAreQuestionMarks) {
  EXPECT_EQ(ShortText("a\x1b[31mb\tc\nd\x7f", 64), "a?[31mb?c?d?");
  EXPECT_EQ(ShortText(std::string("a\0b", 3), 64), "a?b");
  EXPECT_EQ(ShortText("a\xff\xc3(\xc2\x9b", 64),
            "a?"
            "?(?");
  EXPECT_EQ(ShortText("\xc2\xa0", 64), "\xc2\xa0");
}

TEST(ShortTextTest, LinesStayWhereTheyAreAskedFor) {
  EXPECT_EQ(ShortLines("one\ntwo\r\n", 64), "one\ntwo?\n");
  EXPECT_EQ(ShortLines("one\ntwo\nthree", 11), "one\ntwo\n...");
}

TEST(ShortTextTest, TheFirstCharactersAreWhole) {
  EXPECT_EQ(FirstCharacters("0123456789", 8), "01234567");
  EXPECT_EQ(FirstCharacters("0123", 8), "0123");
  EXPECT_EQ(FirstCharacters("a\u00df\u00df", 4), "a\u00df");
  EXPECT_EQ(FirstCharacters("\u20ac\u20ac", 5), "\u20ac");
  EXPECT_EQ(FirstCharacters("\u00df", 1), "");
}

TEST(ShortTextTest, WhateverComesInShortUtf8ComesOut) {
  std::mt19937 random(20261129);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t length = random() % 40; length > 0; --length) {
      text += static_cast<char>(random() % 4 == 0 ? 0x80 | random() % 0x80 : random() % 0x100);
    }
    const size_t bytes = 3 + random() % 40;
    const std::string shortened = ShortText(text, bytes);
    ASSERT_LE(shortened.size(), bytes);
    ASSERT_EQ(FindInvalidUtf8OrNul(shortened, 0), shortened.size());
    ASSERT_EQ(ShortText(shortened, bytes), shortened);
  }
}

}  // namespace
}  // namespace connect_ha
