#include "common/mount_unit.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(MountUnitName, EscapesAPathAsSystemdDoes) {
  EXPECT_EQ(MountUnitName("/"), "-.mount");
  EXPECT_EQ(MountUnitName("/mnt/connect"), "mnt-connect.mount");
  EXPECT_EQ(MountUnitName("/mnt/posit-share"), "mnt-posit\\x2dshare.mount");
  EXPECT_EQ(MountUnitName("/.hidden/a.b c"), "\\x2ehidden-a.b\\x20c.mount");
}

}  // namespace
}  // namespace connect_ha
