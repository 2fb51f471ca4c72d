// What nodes are to be once the coordinator was restarted, its store put back, or little is known.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;

TEST(DecideTest, NothingMovesBeforeEveryLiveNodeWasHeard) {
  PlanCluster cluster(3);
  cluster.Restart();
  for (const int i : {0, 1, 2}) {
    cluster.node(i).set_heard(i == 0);
    cluster.node(i).set_fresh(i == 0);
  }
  cluster.node(1).clear_obeys();
  cluster.node(2).clear_obeys();
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Fail(0, "data-dir-is-shared");
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(absl::StrContains(decision.assignments(0).waits_for(), "node-2, node-3"));
}

TEST(DecideTest, OrdersOutliveTheCoordinator) {
  PlanCluster cluster(2);
  cluster.Restart();
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).order().epoch(), kEpoch);
  cluster.Say(v1::Word::DRAIN, "node-1");
  const v1::Decision drained = cluster.Step();
  EXPECT_EQ(drained.assignments(0).order().epoch(), kEpoch + 1);
  EXPECT_EQ(drained.assignments(0).order().serial(), 1u);
  EXPECT_EQ(drained.assignments(1).order().epoch(), kEpoch);
}

// A drain of one node was obeyed and taken back, and another one drained, after the copy was made.
TEST(DecideTest, AStoreThatIsAnOlderCopyMovesNobodyUntilSomethingIsApplied) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Step();
  const v1::PlanInput copy = cluster.input;
  cluster.TakeBack(v1::Word::DRAIN);
  cluster.Settle();
  cluster.Say(v1::Word::DRAIN, "node-2");
  cluster.Step();
  ASSERT_EQ(cluster.State(0), v1::SERVING);
  ASSERT_EQ(cluster.State(1), v1::DRAINING);

  *cluster.input.mutable_memory() = copy.memory();
  *cluster.input.mutable_words() = copy.words();
  cluster.Restart();
  const v1::Decision decision = cluster.Step();
  EXPECT_TRUE(decision.remember().has_restored_at());
  EXPECT_EQ(decision.said_size(), 1);
  for (const int i : {0, 1}) {
    EXPECT_EQ(decision.assignments(i).order().epoch(), 0u);  // no node takes that
    EXPECT_NE(decision.assignments(i).waits_for(), "");
  }
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::DRAINING);

  cluster.Wait(minutes(1));
  cluster.input.set_generation(kGeneration + 1);
  const v1::Decision after = cluster.Step();
  EXPECT_FALSE(after.remember().has_restored_at());
  EXPECT_EQ(after.assignments(0).generation(), kGeneration + 1);
  EXPECT_EQ(after.assignments(0).state(), v1::SERVING);  // no other serves
}

// The order was given by a coordinator that died, and the node never took it.
TEST(DecideTest, AnOrderThatWasNeverTakenIsDecidedAnew) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  cluster.Become(1, v1::STOPPED);
  cluster.Say(v1::Word::STOP, "node-2");
  cluster.Restart();
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(DecideTest, WhatWasGivenBeforePlansWereRememberedIsTakenForGiven) {
  PlanCluster cluster(2);
  cluster.input.clear_memory();
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(0).order().serial(), 1u);
  EXPECT_EQ(decision.remember().made_epoch(), kEpoch);
  EXPECT_FALSE(decision.remember().has_restored_at());
}

TEST(DecideTest, ANodeOfWhichLittleIsKnownIsLeftAsItIs) {
  const auto stays = [](const char* what, auto change) {
    PlanCluster cluster(2);
    cluster.Say(v1::Word::STOP, "node-1");
    cluster.Fail(0, "data-dir-is-shared");
    change(cluster);
    const v1::Decision decision = cluster.Decide();
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << what;
    EXPECT_NE(decision.assignments(0).waits_for(), "") << what;
  };
  stays("stale", [](PlanCluster& c) { c.Stale(0); });
  stays("lost", [](PlanCluster& c) { c.Lose(0); });
  stays("two machines", [](PlanCluster& c) { c.node(0).mutable_brief()->set_claimants(2); });
  stays("odd", [](PlanCluster& c) {
    c.node(0).set_odd(true);
    c.node(0).set_standing("nobody gave it that");
  });
  stays("ahead", [](PlanCluster& c) {
    c.node(0).set_ahead(true);
    c.node(0).set_standing("it holds generation 9");
  });
}

// What is wrong may be mended while others are waited for.
TEST(DecideTest, WhoIsOutForAFaultIsSoThoughNothingIsDecidedForAWhile) {
  PlanCluster cluster(3);
  const std::string rule = "clocks-are-synchronised";
  cluster.Fail(0, rule);
  cluster.Settle();
  ASSERT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Restart();
  cluster.node(1).set_heard(false);
  cluster.node(1).set_fresh(false);
  cluster.Rule(0, rule).set_outcome(v1::PASS);
  *cluster.Rule(0, rule).mutable_since() = cluster.input.now();
  cluster.Step();
  cluster.node(1).set_heard(true);
  cluster.node(1).set_fresh(true);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Wait(minutes(1));
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

// A machine that lost what it held, or a new one under the name, is not told to serve.
TEST(DecideTest, ANodeThatHoldsNothingBeginsAnew) {
  PlanCluster cluster(2);
  cluster.node(0).clear_obeys();
  cluster.node(0).mutable_brief()->set_reported_state(v1::OBSERVED);
  cluster.node(0).set_connect(v1::CONNECT_RESTS);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

// Nor is it to serve again where nothing is left that drains it.
TEST(DecideTest, ANodeThatHoldsNothingBeginsAnewWhereItDrained) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::DRAINING);
  cluster.node(0).clear_obeys();
  cluster.node(0).mutable_brief()->set_reported_state(v1::OBSERVED);
  cluster.node(0).set_connect(v1::CONNECT_RESTS);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

}  // namespace
}  // namespace connect_ha
