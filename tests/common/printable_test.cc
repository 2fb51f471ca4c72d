#include "common/text/printable.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(Escaped, LeavesWhatAPersonCanRead) {
  for (const std::string text : {"", "plain", "two\nlines\tand a tab", "Zürich", "日本 😀"}) {
    EXPECT_EQ(Escaped(text), text);
  }
}

TEST(Escaped, EscapesWhatIsNoTextAndWhatATerminalObeys) {
  EXPECT_EQ(Escaped("/mnt/\xff\xfe/x"), "/mnt/\\xff\\xfe/x");
  EXPECT_EQ(Escaped("a\x1b[2Jb\rc\x7f"), "a\\x1b[2Jb\\x0dc\\x7f");
  EXPECT_EQ(Escaped(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Escaped("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m");  // CSI, in one character
  EXPECT_EQ(Escaped("ü\x80ü"), "ü\\x80ü");
  EXPECT_EQ(Escaped("\xc2 a"), "\\xc2 a");
  EXPECT_EQ(Escaped("\xe2\x82"), "\\xe2\\x82");  // cut off
}

TEST(Escaped, TakesTimeByTheLengthOfTheText) {
  EXPECT_EQ(Escaped(std::string(300'000, '\x01')).size(), 1'200'000u);
  EXPECT_EQ(Escaped(std::string(300'000, '\xff')).size(), 1'200'000u);
}

TEST(Printable, MovesNoCursor) {
  EXPECT_EQ(Printable("a\x1b[2Jb\tc\n"), "a [2Jb c ");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J \xc2\xa0 \xc3\xbc\x7f\xc2"),
            " 2J \xc2\xa0 \xc3\xbc \xc2");
}

}  // namespace
}  // namespace connect_ha
