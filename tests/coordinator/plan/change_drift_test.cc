// What differs on a node that had been right, and takes a restart of Connect.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;

// Somebody has edited the configuration there.
void Drift(PlanCluster& cluster, int i) {
  v1::Convergence& convergence = *cluster.node(i).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.set_needs(v1::Change::RESTART);
  v1::Change& change = *convergence.add_changes();
  change.set_resource(kConfigFile);
  change.set_needs(v1::Change::RESTART);
  change.set_interrupts("Connect reads it when it starts");
}

PlanCluster Drifting(int nodes, int drifting) {
  PlanCluster cluster(nodes);
  cluster.makes_changes = true;
  for (int i = 0; i < drifting; ++i) Drift(cluster, i);
  return cluster;
}

TEST(ChangeDrift, IsPutRightOneAfterTheOther) {
  PlanCluster cluster = Drifting(3, 2);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "draining, serving, serving");
  EXPECT_EQ(decision.assignments(0).reason(), std::string("a change: ") + kConfigFile);
  EXPECT_TRUE(StrContains(decision.assignments(1).waits_for(), "node-1 to serve first"));
  GoUntil(cluster, 1, v1::DRAINING);
  decision = GoUntil(cluster, 1, v1::READY);
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving");
  EXPECT_EQ(decision.remember().restarts_size(), 2);
}

// One alone would go on with another key or database than the others.
TEST(ChangeDrift, OfASecretThatAllNodesHaveInCommonIsForAllTogether) {
  PlanCluster cluster = Drifting(3, 1);
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_needs(v1::Change::TOGETHER);
  convergence.mutable_changes(0)->set_needs(v1::Change::TOGETHER);
  const v1::PlanInput by_hand = cluster.input;
  convergence.mutable_changes(0)->set_filled_in_anew(true);
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(),
                          "all nodes to stop for it together, since a secret was changed"))
      << decision.assignments(0).waits_for();
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "connect-ha apply"));
  cluster.input = by_hand;
  EXPECT_EQ(StatesOf(cluster.Step()), "draining, serving, serving");
}

TEST(ChangeDrift, AsksOnceItWasPutRightAsOftenAsItMayBe) {
  PlanCluster cluster = Drifting(3, 2);
  cluster.input.mutable_spec()->mutable_rollout()->set_restarts_per_hour(1);
  v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving");
  EXPECT_EQ(decision.remember().restarts_size(), 1);
  ASSERT_EQ(decision.said_size(), 1);
  EXPECT_EQ(decision.said(0).node(), "node-2");
  EXPECT_TRUE(StrContains(decision.said(0).fix(), "connect-ha node drain node-2"));
  EXPECT_TRUE(decision.has_wake_at());
  decision = GoOn(cluster, minutes(45));
  EXPECT_EQ(decision.said_size(), 0);
  EXPECT_EQ(cluster.node(1).convergence().changes_size(), 0);
}

// Two that drain at once are two of them from the beginning.
TEST(ChangeDrift, CountsWhoDrainsForItAlready) {
  PlanCluster cluster = Drifting(4, 3);
  v1::RolloutSpec& spec = *cluster.input.mutable_spec()->mutable_rollout();
  spec.set_max_unavailable(2);
  spec.set_restarts_per_hour(1);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "draining, serving, serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(1).waits_for(), "restarts_per_hour: 1"));
  decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving, serving");
  EXPECT_EQ(decision.remember().restarts_size(), 1);
}

// However it came to that: fewer may be since, say.
TEST(ChangeDrift, LetsNoMoreOfThoseThatDrainBeRestartedThanMayBe) {
  PlanCluster cluster = Drifting(4, 2);
  v1::RolloutSpec& spec = *cluster.input.mutable_spec()->mutable_rollout();
  spec.set_max_unavailable(2);
  ASSERT_EQ(StatesOf(cluster.Step()), "draining, draining, serving, serving");
  cluster.input.mutable_spec()->mutable_rollout()->set_restarts_per_hour(1);
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving, serving");
  EXPECT_EQ(decision.remember().restarts_size(), 1);
  EXPECT_GT(cluster.node(1).convergence().changes_size(), 0);
}

TEST(ChangeDrift, LeavesEnoughThatServe) {
  PlanCluster cluster = Drifting(2, 1);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(0).reason(), "so few others serve"));
}

TEST(ChangeDrift, LeavesNobodyOnceForEachApproval) {
  PlanCluster cluster = Drifting(1, 1);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(10))), "serving");
  ApproveIt(cluster, kGeneration).set_downtime(true);
  GoUntil(cluster, 0, v1::READY);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving");
  EXPECT_EQ(cluster.input.words_size(), 0);
  Drift(cluster, 0);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(10))), "serving");
}

TEST(ChangeDrift, WaitsWhilePaused) {
  PlanCluster cluster = Drifting(2, 1);
  cluster.Say(v1::Word::PAUSE, "");
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(30))), "serving, serving");
}

TEST(ChangeDrift, TakesNoOtherNodeOutWhereOneDoesNotComeUp) {
  PlanCluster cluster = Drifting(3, 2);
  GoUntil(cluster, 0, v1::READY);
  cluster.Step();
  FailToStart(cluster, 0, "connect: no such user");
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "stopped, serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(1).waits_for(), "node-1"));
}

// A rule has closed it for that: it is put right while it is out.
TEST(ChangeDrift, IsPutRightOnANodeThatARuleHasClosed) {
  PlanCluster cluster = Drifting(2, 0);
  cluster.Fail(0, "runtimes-match-r");
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  Drift(cluster, 0);
  const v1::Decision decision = GoUntil(cluster, 0, v1::READY);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_EQ(decision.remember().restarts_size(), 1);
}

// Else the turn would pass to the next one as soon as that has left, and what was decided be
// decided otherwise once it is stored.
TEST(ChangeDrift, GivesNoTurnToWhoLeavesAnyway) {
  PlanCluster cluster = Drifting(3, 3);
  cluster.node(2).set_gate(v1::GATE_CLOSED);
  EXPECT_EQ(StatesOf(cluster.Decide()), "serving, serving, draining");
  cluster.Say(v1::Word::DRAIN, "node-3");
  EXPECT_EQ(StatesOf(cluster.Store()), "draining, serving, draining");
  EXPECT_EQ(StatesOf(cluster.Decide()), "draining, serving, draining");
}

// It takes no user away to change what is down; where no other serves it is the only way up.
TEST(ChangeDrift, IsPutRightWhereConnectIsDownOnAllNodes) {
  PlanCluster cluster = Drifting(2, 2);
  for (const int i : {0, 1}) {
    v1::PlanNode& node = cluster.node(i);
    node.set_connect(v1::CONNECT_RESTS);
    node.clear_running_version();
    node.mutable_brief()->mutable_facts()->set_answers(false);
    node.mutable_brief()->mutable_facts()->set_unit_state("failed");
    cluster.Fail(i, "service-is-healthy");
  }
  EXPECT_EQ(StatesOf(cluster.Step()), "preparing, preparing");
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving");
}

}  // namespace
}  // namespace connect_ha
