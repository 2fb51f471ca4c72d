#include "agent/loop/printable.h"

#include <gtest/gtest.h>

#include "connect_ha/v1/facts.pb.h"

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
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82");  // cut off
}

TEST(Printable, TakesTimeByTheLengthOfTheText) {
  EXPECT_EQ(Printable(std::string(300'000, '\x01')).size(), 1'200'000u);
  EXPECT_EQ(Printable(std::string(300'000, '\xff')).size(), 1'200'000u);
}

TEST(MakePrintable, GoesThroughTheWholeMessage) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1\xff");
  v1::Mount& mount = *facts.mutable_storage()->add_mounts();
  mount.set_mount_point("/home/x\x1b");
  mount.add_options("rw");
  mount.add_options("fsname=\xfe");
  MakePrintable(facts);
  EXPECT_EQ(facts.host().hostname(), "node-1\\xff");
  EXPECT_EQ(facts.storage().mounts(0).mount_point(), "/home/x\\x1b");
  EXPECT_EQ(facts.storage().mounts(0).options(0), "rw");
  EXPECT_EQ(facts.storage().mounts(0).options(1), "fsname=\\xfe");
  v1::Facts read;
  EXPECT_TRUE(read.ParseFromString(facts.SerializeAsString()));
}

}  // namespace
}  // namespace connect_ha
