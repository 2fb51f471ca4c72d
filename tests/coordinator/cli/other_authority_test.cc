// With a real coordinator: what it takes to talk to it is said to an admin, not to a node.
#include "common/tls/pinned_ca.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(OtherAuthority, AsksForTheIdentityOfThatCoordinator) {
  const TestCluster cluster;
  const Authority other = *Authority::Create("other", TestNow());
  World world;
  world.coordinator.error =
      ExplainConnection(cluster.target(), other.certificate(), std::chrono::seconds(5));
  EXPECT_EQ(world.Run({"status"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("not the pinned"));
  EXPECT_THAT(world.error,
              HasSubstr("\nfix:   copy the whole directory /var/lib/connect-ha/admin"));
  EXPECT_THAT(world.error, Not(HasSubstr("token create")));
}

}  // namespace
}  // namespace connect_ha
