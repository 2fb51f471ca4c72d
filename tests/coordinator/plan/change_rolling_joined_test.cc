// Changes that go from node to node: who joins in the middle, and who is let in.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using Status = v1::RolloutStatus;

// node-3, which was no member as it began, and has nothing else to do but to start.
PlanCluster JoinedWhilePaused(uint32_t minimum_serving) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.input.mutable_next()->mutable_spec()->mutable_nodes()->set_minimum_serving(
      minimum_serving);
  v1::Ahead& staged = *cluster.node(2).mutable_staged();
  staged.clear_changes();
  staged.set_needs(v1::Change::NOTHING);
  cluster.Bare(2);
  cluster.Step();
  EXPECT_EQ(cluster.input.generation(), kNext);
  cluster.input.mutable_memory()->mutable_rollout()->mutable_nodes()->RemoveLast();
  cluster.Say(v1::Word::PAUSE, "");
  return cluster;
}

TEST(ChangeRolling, TakesInANodeThatJoinsInTheMiddle) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Bare(2);
  cluster.node(2).mutable_staged()->clear_changes();
  cluster.node(2).mutable_staged()->set_needs(v1::Change::NOTHING);
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving, serving");
  EXPECT_EQ(cluster.memory(2).generation(), kNext);
}

TEST(ChangeRolling, TakesNobodyInWhileItIsPaused) {
  PlanCluster cluster = JoinedWhilePaused(1);
  v1::Decision decision = GoOn(cluster, minutes(20));
  EXPECT_EQ(StatesOf(decision), "serving, serving, ready");
  EXPECT_EQ(decision.rollout().standing(), Status::PAUSED);
  EXPECT_TRUE(StrContains(decision.assignments(2).waits_for(), "generation 8 to go on"))
      << TextsOf(decision);
  EXPECT_TRUE(StrContains(decision.assignments(2).waits_for(), "paused by admin/alice"));
  cluster.TakeBack(v1::Word::PAUSE);
  AbortIt(cluster);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, serving, ready");
  EXPECT_TRUE(StrContains(decision.assignments(2).waits_for(), "aborted by admin/alice"));
  cluster.TakeBack(v1::Word::ABORT);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

TEST(ChangeRolling, TakesInWhoeverIsNeededThoughItIsPaused) {
  PlanCluster cluster = JoinedWhilePaused(3);
  const v1::Decision decision = GoUntil(cluster, 2, v1::SERVING);
  EXPECT_EQ(StatesOf(decision), "serving, serving, closed");
  EXPECT_TRUE(StrContains(TextsOf(decision), "since too few others serve")) << TextsOf(decision);
}

TEST(ChangeRolling, TakesNobodyInWhereItsCanaryDoesNotStart) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.node(2).mutable_staged()->clear_changes();
  cluster.node(2).mutable_staged()->set_needs(v1::Change::NOTHING);
  GoUntil(cluster, 0, v1::READY);
  ASSERT_EQ(StatesOf(cluster.Step()), "closed, serving, serving");
  FailToStart(cluster, 0, "connect: unknown key Servr.Address");
  ASSERT_EQ(StatesOf(cluster.Step()), "stopped, serving, serving");
  // Its machine was replaced by one of another name.
  cluster.Bare(2);
  cluster.input.mutable_memory()->mutable_rollout()->mutable_nodes()->RemoveLast();
  const v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "stopped, serving, ready");
  EXPECT_TRUE(StrContains(decision.assignments(2).waits_for(), "it stopped half way"));
}

// An observed node is changed by what was applied, never because it was just enrolled.
TEST(ChangeRolling, TakesAnObservedNodeOnlyWhereItWasThereAsItBegan) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.Become(1, v1::OBSERVED);
  v1::Convergence& convergence = *cluster.node(1).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  v1::Change& change = *convergence.add_changes();
  change.set_resource(kConfigFile);
  change.set_interrupts("Connect reads it when it starts");
  change.set_needs(v1::Change::RESTART);
  const v1::Convergence differs = convergence;  // it is no more, once that one was changed
  EXPECT_EQ(StatesOf(cluster.Decide()), "serving, observed");
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");

  PlanCluster later = ToBeRestarted(2);
  later.Step();
  later.Become(1, v1::OBSERVED);
  later.input.mutable_memory()->mutable_rollout()->mutable_nodes()->RemoveLast();
  *later.node(1).mutable_convergence() = differs;
  later.node(1).mutable_convergence()->set_generation(kNext);
  later.node(1).mutable_brief()->set_reported_generation(kNext);
  later.node(1).clear_staged();
  EXPECT_EQ(GoOn(later, minutes(30)).assignments(1).state(), v1::OBSERVED);
}

}  // namespace
}  // namespace connect_ha
