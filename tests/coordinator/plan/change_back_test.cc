// What is in force, and not done, where the one that all nodes are to stop for is given up.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;
using Status = v1::RolloutStatus;

// All of them stop for one more, in the middle of the one that goes from node to node.
PlanCluster StopInTheMiddle() {
  PlanCluster cluster = ToBeRestarted(4);
  cluster.input.mutable_next()->mutable_spec()->mutable_rollout()->set_max_unavailable(2);
  GoUntil(cluster, 0, v1::DRAINING);
  ProposeVersionNext(cluster, kNext + 1, kNewVersion);
  ApproveIt(cluster, kNext + 1);
  GoTo(cluster, Status::STOPPING);
  return cluster;
}

TEST(ChangeBack, GoesOnAsAChangeOfWhichTheFirstIsLookedAt) {
  PlanCluster cluster = StopInTheMiddle();
  const v1::Rollout before = cluster.input.memory().given_up();
  EXPECT_EQ(before.generation(), kNext);
  EXPECT_EQ(before.end(), v1::Rollout::SUPERSEDED);
  AbortIt(cluster, kNext + 1);
  v1::Decision decision = GoOn(cluster, seconds(30));
  EXPECT_EQ(StatesOf(decision), "draining, serving, serving, serving");
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().phase(), Status::ROLLING);
  EXPECT_EQ(decision.rollout().standing(), Status::GOES_ON);
  EXPECT_EQ(decision.rollout().next().generation(), kNext + 1);
  EXPECT_EQ(decision.rollout().next().phase(), Status::ABORTED);
  EXPECT_EQ(StatesOf(GoUntil(cluster, 1, v1::DRAINING)), "serving, draining, draining, serving");
  decision = GoTo(cluster, Status::ABORTED);
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).generation(), kNext);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::DONE);
  EXPECT_EQ(decision.ended(0).began_at().seconds(), before.began_at().seconds());
  EXPECT_EQ(decision.remember().good_generation(), kNext);
}

TEST(ChangeBack, StopsAtAFirstThatDoesNotStart) {
  PlanCluster cluster = StopInTheMiddle();
  AbortIt(cluster, kNext + 1);
  GoUntil(cluster, 0, v1::PREPARING);
  EXPECT_TRUE(GoUntil(cluster, 0, v1::SERVING).assignments(0).closed());
  FailToStart(cluster, 0, "connect: unknown key Servr.Address");
  const v1::Decision decision = GoOn(cluster, seconds(600));
  EXPECT_EQ(StatesOf(decision), "stopped, serving, serving, serving");
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(absl::StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
}

// It had ended before.
TEST(ChangeBack, IsNoneWhereThatWasDone) {
  PlanCluster cluster = ToBeRestarted(2);
  GoTo(cluster, Status::DONE);
  ProposeVersionNext(cluster, kNext + 1, kNewVersion);
  ApproveIt(cluster, kNext + 1);
  GoTo(cluster, Status::STOPPING);
  EXPECT_FALSE(cluster.input.memory().has_given_up());
  AbortIt(cluster, kNext + 1);
  const v1::Decision decision = GoOn(cluster, seconds(60));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().generation(), kNext + 1);
  EXPECT_FALSE(decision.remember().has_rollout());
  EXPECT_EQ(decision.remember().good_generation(), kNext);
}

}  // namespace
}  // namespace connect_ha
