#include "common/connect/printable.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(Printable, LeavesWhatAPersonCanRead) {
  for (const std::string text : {"", "plain", "two\nlines\tand a tab", "Zürich", "日本 😀"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, EscapesWhatIsNoTextAndWhatATerminalObeys) {
  EXPECT_EQ(Printable("/mnt/\xff\xfe/x"), "/mnt/\\xff\\xfe/x");
  EXPECT_EQ(Printable("a\x1b[2Jb\rc\x7f"), "a\\x1b[2Jb\\x0dc\\x7f");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // CSI, in one character
  EXPECT_EQ(Printable("ü\x80ü"), "ü\\x80ü");
  EXPECT_EQ(Printable("\xc2 a"), "\\xc2 a");
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82");  // cut off
}

TEST(Printable, TakesTimeByTheLengthOfTheText) {
  EXPECT_EQ(Printable(std::string(300'000, '\x01')).size(), 1'200'000u);
  EXPECT_EQ(Printable(std::string(300'000, '\xff')).size(), 1'200'000u);
}

}  // namespace
}  // namespace connect_ha
