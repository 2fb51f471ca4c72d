// A decision that breaks an invariant is told so: each is broken here once, on purpose.
#include "coordinator/plan/invariants.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/decide.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

// What was decided, with one node given another state under an order of its own.
v1::Decision With(const v1::PlanInput& input, int i, v1::NodeState state) {
  v1::Decision decision = Decide(input);
  v1::NodeAssignment& given = *decision.mutable_assignments(i);
  v1::NodeMemory& memory = *decision.mutable_remember()->mutable_nodes(i);
  // Who is started is closed until it was looked at.
  const bool starts = state == v1::SERVING && input.nodes(i).connect() == v1::CONNECT_RESTS;
  given.set_closed(starts);
  memory.set_closed(starts);
  given.set_state(state);
  given.set_generation(input.generation());
  memory.set_state(state);
  memory.set_generation(input.generation());
  memory.mutable_order()->set_epoch(input.epoch());
  memory.mutable_order()->set_serial(99);
  *given.mutable_order() = memory.order();
  return decision;
}

void ExpectBroken(const v1::PlanInput& input, const v1::Decision& decision,
                  const std::string& text) {
  const std::string broken = absl::StrJoin(Broken(input, decision), "\n");
  EXPECT_TRUE(absl::StrContains(broken, text)) << "\"" << broken << "\" lacks: " << text;
}

TEST(InvariantsTest, EveryNodeIsAssignedOneState) {
  const PlanCluster cluster(2);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_assignments()->RemoveLast();
  ExpectBroken(cluster.input, decision, "not every node is assigned one state");
  decision = Decide(cluster.input);
  decision.mutable_assignments()->SwapElements(0, 1);
  ExpectBroken(cluster.input, decision, "not every node is assigned one state");
  decision = Decide(cluster.input);
  decision.mutable_assignments(0)->set_state(v1::NODE_STATE_UNSPECIFIED);
  ExpectBroken(cluster.input, decision, "what is no state");
}

TEST(InvariantsTest, OrdersGrowAndAreRemembered) {
  PlanCluster cluster(2);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_assignments(0)->mutable_order()->set_epoch(kEpoch - 1);
  ExpectBroken(cluster.input, decision, "below the one it obeys");
  decision = Decide(cluster.input);
  decision.mutable_assignments(0)->mutable_order()->set_serial(99);
  ExpectBroken(cluster.input, decision, "an order that is not remembered");
  decision = Decide(cluster.input);
  decision.mutable_assignments(0)->set_state(v1::OBSERVED);
  decision.mutable_remember()->mutable_nodes(0)->set_state(v1::OBSERVED);
  ExpectBroken(cluster.input, decision, "another state under an old order");
}

TEST(InvariantsTest, WhoIsNotKnownIsNotMoved) {
  PlanCluster stale(3);
  stale.Stale(0);
  ExpectBroken(stale.input, With(stale.input, 0, v1::DRAINING), "not known how it is");
  PlanCluster unheard(3);
  unheard.node(2).set_heard(false);
  unheard.node(2).clear_obeys();
  ExpectBroken(unheard.input, With(unheard.input, 0, v1::DRAINING),
               "before every live node was heard");
  PlanCluster restored(3);
  v1::Decision decision = With(restored.input, 0, v1::DRAINING);
  *decision.mutable_remember()->mutable_restored_at() = restored.input.now();
  ExpectBroken(restored.input, decision, "a store that is an older copy");
}

TEST(InvariantsTest, OnlyWaysAreGoneAndOnlyWhatIsAllowedIsDone) {
  PlanCluster cluster(3);
  cluster.Become(0, v1::FENCED);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "no way leads");
  PlanCluster observes(3);
  observes.input.mutable_spec()->set_enforcement(v1::OBSERVE);
  ExpectBroken(observes.input, With(observes.input, 0, v1::DRAINING), "may only be observed");
  PlanCluster installs(3);
  installs.node(0).mutable_brief()->set_allow(v1::ALLOW_INSTALL);
  ExpectBroken(installs.input, With(installs.input, 0, v1::STOPPED), "which it does not allow");
  PlanCluster runs(3);
  runs.Brownfield(0);
  runs.node(0).mutable_brief()->set_allow(v1::ALLOW_INSTALL);
  ExpectBroken(runs.input, With(runs.input, 0, v1::PREPARING), "under a Connect that may run");
}

TEST(InvariantsTest, TheLastOneThatServesStays) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::STOPPED);
  cluster.Say(v1::Word::STOP, "node-2");
  cluster.Say(v1::Word::DRAIN, "node-1");
  const v1::Decision decision = With(cluster.input, 0, v1::DRAINING);
  ExpectBroken(cluster.input, decision, "the last node that serves is taken out");
  cluster.input.mutable_words(1)->set_downtime(true);
  EXPECT_TRUE(Broken(cluster.input, decision).empty());
}

// That one may leave without another is said of that one alone.
TEST(InvariantsTest, DowntimeIsOfTheNodeThatItWasSaidOf) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1").set_downtime(true);
  cluster.Say(v1::Word::DRAIN, "node-2");
  const v1::Decision one = With(cluster.input, 0, v1::DRAINING);
  EXPECT_TRUE(Broken(cluster.input, one).empty());
  v1::Decision both = With(cluster.input, 1, v1::DRAINING);
  ExpectBroken(cluster.input, both, "the last node that serves is taken out");
  cluster.TakeBack(v1::Word::DRAIN);
  cluster.Say(v1::Word::DRAIN, "node-1").set_downtime(true);
  cluster.Fail(1, "clocks-are-synchronised");
  cluster.Rule(0, "clocks-are-synchronised").set_outcome(v1::UNKNOWN);
  both = With(cluster.input, 1, v1::DRAINING);
  both.mutable_remember()->mutable_nodes(1)->add_out_for("clocks-are-synchronised");
  ExpectBroken(cluster.input, both, "node-2 leaves for clocks-are-synchronised, and no node");
}

TEST(InvariantsTest, SoManyServeAsTheSpecificationSays) {
  PlanCluster cluster(3);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(3);
  cluster.Say(v1::Word::DRAIN, "node-1");
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::DRAINING), "fewer than minimum_serving");
  cluster.input.mutable_words(0)->set_downtime(true);
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::DRAINING)).empty());
  cluster.TakeBack(v1::Word::DRAIN);
  for (const auto& [rule, holds] : {std::make_pair("runtimes-match-r", true),
                                    std::make_pair("clocks-are-synchronised", false)}) {
    cluster.Fail(0, rule);
    v1::Decision decision = With(cluster.input, 0, v1::DRAINING);
    decision.mutable_remember()->mutable_nodes(0)->add_out_for(rule);
    const std::string broken = absl::StrJoin(Broken(cluster.input, decision), "\n");
    EXPECT_EQ(absl::StrContains(broken, "fewer than minimum_serving"), holds) << broken;
  }
}

TEST(InvariantsTest, RulesFenceNobodyWhomAnAdminUnfenced) {
  PlanCluster cluster(2);
  cluster.Fail(0, "data-dir-is-shared");
  v1::Word& word = cluster.Say(v1::Word::UNFENCE, "node-1");
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 60);
  v1::Decision decision = With(cluster.input, 0, v1::FENCED);
  decision.mutable_remember()->mutable_nodes(0)->add_out_for("data-dir-is-shared");
  ExpectBroken(cluster.input, decision, "data-dir-is-shared, which may fence nobody there");
}

TEST(InvariantsTest, RulesCloseNobodyWhereConnectItselfIsAsked) {
  PlanCluster cluster(2);
  cluster.input.mutable_spec()->mutable_load_balancer()->set_health_check(
      v1::LoadBalancerSpec::CONNECT);
  cluster.Fail(0, "clocks-are-synchronised");
  v1::Decision decision = With(cluster.input, 0, v1::DRAINING);
  decision.mutable_remember()->mutable_nodes(0)->add_out_for("clocks-are-synchronised");
  ExpectBroken(cluster.input, decision, "the load balancer asks Connect");
}

TEST(InvariantsTest, TheLastConnectThatAnswersIsNotStopped) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::DRAINING);
  cluster.Say(v1::Word::DRAIN, "node-1");
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::READY)).empty());
  cluster.Stale(1);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::READY), "Connect is stopped on node-1");
  cluster.input.mutable_words(0)->set_downtime(true);
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::READY)).empty());
}

TEST(InvariantsTest, WhoWasDrainedServesAgainOnlyWhereNobodyElseDoes) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::DRAINING);
  cluster.Say(v1::Word::DRAIN, "node-1");
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "a person keeps it out");
  cluster.Lose(1);
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::SERVING)).empty());
  cluster.input.mutable_words(0)->set_downtime(true);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "a person keeps it out");
}

TEST(InvariantsTest, NobodyLeavesForNoReason) {
  PlanCluster cluster(2);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::DRAINING), "for no reason");
  cluster.Fail(0, "runtimes-match-r");
  cluster.Rule(1, "runtimes-match-r").set_outcome(v1::UNKNOWN);
  v1::Decision decision = With(cluster.input, 0, v1::DRAINING);
  decision.mutable_remember()->mutable_nodes(0)->add_out_for("runtimes-match-r");
  ExpectBroken(cluster.input, decision, "no node that serves is known to be without it");
  PlanCluster observed(2);
  observed.Become(0, v1::OBSERVED);
  decision = With(observed.input, 0, v1::DRAINING);
  ExpectBroken(observed.input, decision, "is observed, and taken out by no person");
}

v1::Decision FencedBy(const PlanCluster& cluster, const std::string& rule) {
  v1::Decision decision = With(cluster.input, 0, v1::FENCED);
  decision.mutable_remember()->mutable_nodes(0)->clear_out_for();
  decision.mutable_remember()->mutable_nodes(0)->add_out_for(rule);
  if (decision.remember().fences_size() == 0) {
    v1::FenceMade& fence = *decision.mutable_remember()->add_fences();
    fence.set_node("node-1");
    *fence.mutable_at() = cluster.input.now();
  }
  return decision;
}

TEST(InvariantsTest, AFenceRestsOnEvidence) {
  const std::string rule = "data-dir-is-shared";
  PlanCluster cluster(2);
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "which does not fail there");
  cluster.Fail(0, rule, v1::PROOF, /*undecided=*/true);
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "which node is the wrong one");
  cluster.Fail(0, rule, v1::PEERS);
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "has no majority");
  cluster.Fail(0, rule, v1::SPEC);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  cluster.memory(0).set_reached(kGeneration - 1);
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "still to be made");
  cluster.Fail(0, rule, v1::SELF);
  EXPECT_TRUE(Broken(cluster.input, FencedBy(cluster, rule)).empty());
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "node-1");
  word.set_rule(rule);
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 60);
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "is waived");
}

TEST(InvariantsTest, FencesAreFewAndRemembered) {
  const std::string rule = "data-dir-is-shared";
  PlanCluster cluster(3);
  cluster.Fail(0, rule);
  v1::Decision decision = FencedBy(cluster, rule);
  decision.mutable_remember()->clear_fences();
  ExpectBroken(cluster.input, decision, "a fence is not remembered");
  v1::FenceMade& fence = *cluster.input.mutable_memory()->add_fences();
  fence.set_node("node-3");
  *fence.mutable_at() = cluster.input.now();
  ExpectBroken(cluster.input, FencedBy(cluster, rule), "more nodes are fenced in an hour");
}

TEST(InvariantsTest, WhoEntersIsMountedWantedAndOfOneVersion) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.node(0).mutable_brief()->mutable_facts()->set_mount_verified(false);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "without a verified mount");
  cluster.node(0).mutable_brief()->mutable_facts()->set_mount_verified(true);
  cluster.node(0).set_installed_version("2024.09.0");
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "two versions of Connect");
  cluster.Lose(1);  // it may run on
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "two versions of Connect");
  cluster.node(0).set_installed_version("2024.08.0");
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::SERVING)).empty());
  cluster.node(0).mutable_brief()->set_reported_generation(kGeneration - 1);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "starts as another generation");
  cluster.node(0).mutable_brief()->set_reported_generation(kGeneration);
  cluster.Fail(0, "data-dir-is-shared", v1::PROOF, /*undecided=*/true);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING),
               "enters, and data-dir-is-shared fails there");
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "");
  word.set_rule("data-dir-is-shared");
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 60);
  EXPECT_TRUE(Broken(cluster.input, With(cluster.input, 0, v1::SERVING)).empty());
  cluster.Say(v1::Word::CORDON, "node-1");
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING), "a person keeps it out");
}

TEST(InvariantsTest, WhatIsRememberedIsNotLost) {
  const PlanCluster cluster(2);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_remember()->mutable_nodes(0)->set_reached(0);
  ExpectBroken(cluster.input, decision, "has reached is forgotten");
  decision = Decide(cluster.input);
  *decision.mutable_wake_at() = cluster.input.now();
  ExpectBroken(cluster.input, decision, "due before this one");
  decision = Decide(cluster.input);
  decision.mutable_assignments(0)->set_release(true);
  ExpectBroken(cluster.input, decision, "is released, and not let go");
}

}  // namespace
}  // namespace connect_ha
