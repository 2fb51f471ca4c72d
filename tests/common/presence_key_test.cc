#include "common/proof/presence_key.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

// Agents of two releases hold their locks beside each other: the keys never change.
TEST(PresenceKey, IsTheBeginningOfADigest) {
  EXPECT_EQ(PresenceClass("analytics"), 2531795795u);
  EXPECT_EQ(PresenceKey("analytics", "node-1"), 2425184868u);
  EXPECT_EQ(PresenceKey("analytics", "node-2"), 545396443u);
}

TEST(PresenceKey, IsAnotherInAnotherCluster) {
  EXPECT_NE(PresenceClass("analytics"), PresenceClass("analytics-2"));
  EXPECT_NE(PresenceKey("analytics", "node-1"), PresenceKey("analytics-2", "node-1"));
}

}  // namespace
}  // namespace connect_ha
