// Changes that go from node to node.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using std::chrono::seconds;
using Status = v1::RolloutStatus;

int Serving(const v1::Decision& decision) {
  int serving = 0;
  for (const v1::NodeAssignment& one : decision.assignments()) {
    if (one.state() == v1::SERVING && !one.closed()) ++serving;
  }
  return serving;
}

TEST(ChangeRolling, GoesFromNodeToNodeTheEldestFirst) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.node(0).set_member(9);
  std::string order;
  v1::Decision decision;
  for (int i = 0; i < 400 && decision.rollout().phase() != Status::DONE; ++i) {
    decision = cluster.Step();
    ASSERT_GE(Serving(decision), 2) << TextsOf(decision);
    EXPECT_NE(decision.rollout().standing(), Status::WAITS) << decision.rollout().reason();
    for (int n = 0; n < 3; ++n) {
      const bool drains = decision.assignments(n).state() == v1::DRAINING;
      if (drains && (order.empty() || order.back() != '1' + n)) order += static_cast<char>('1' + n);
    }
    cluster.Wait(seconds(10));
  }
  EXPECT_EQ(order, "231");
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving");
  ASSERT_EQ(decision.ended_size(), 1);
  const v1::Rollout& ended = decision.ended(0);
  EXPECT_EQ(ended.kind(), v1::Rollout::ROLLING);
  for (const v1::RolloutNode& node : ended.nodes()) {
    EXPECT_GE(node.out_us(), 300'000'000) << node.node();  // its drain, at the least
    EXPECT_FALSE(node.has_out_since());
  }
  ASSERT_GT(decision.remember().spans_size(), 0);
}

// It stays out: whoever comes back goes before.
TEST(ChangeRolling, GoesToACordonedNodeLast) {
  PlanCluster cluster = ToBeRestarted(4);
  cluster.Say(v1::Word::CORDON, "node-1");
  cluster.Say(v1::Word::CORDON, "node-2");
  std::string order;
  v1::Decision decision;
  for (int i = 0; i < 400 && decision.rollout().phase() != Status::DONE; ++i) {
    decision = cluster.Step();
    int draining = 0;
    for (int n = 0; n < 4; ++n) {
      if (decision.assignments(n).state() != v1::DRAINING) continue;
      ++draining;
      if (order.empty() || order.back() != '1' + n) order += static_cast<char>('1' + n);
    }
    ASSERT_LE(draining, 1) << TextsOf(decision);
    cluster.Wait(seconds(10));
  }
  EXPECT_EQ(order, "3412");
  EXPECT_EQ(StatesOf(decision), "ready, ready, serving, serving");
}

// Content may land anywhere: a new runtime is there before, an old one goes with the restart.
TEST(ChangeRolling, WaitsForWhatIsAddedAndNotForWhatIsRemoved) {
  PlanCluster cluster = ToBeRestarted(2);
  WouldChange(cluster, 0, "versions", v1::Change::NOTHING);
  WouldChange(cluster, 1, "versions", v1::Change::NOTHING);
  WouldChange(cluster, 1, "package r-4.4.1", v1::Change::NOTHING);
  v1::Decision decision = GoOn(cluster, minutes(2));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(),
                          "what is added without a restart, on node-2"))
      << TextsOf(decision);
  cluster.node(1).mutable_convergence()->mutable_changes()->RemoveLast();
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeRolling, OpensWhatWasStartedOnlyOnceItIsKnownToBeRight) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 0, v1::READY);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "closed, serving");
  const v1::Order started = decision.assignments(0).order();
  cluster.Rule(0, "runtimes-match-r").set_outcome(v1::UNKNOWN);
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "closed, serving");
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::VERIFYING);
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "runtimes-match-r"));
  EXPECT_TRUE(StrContains(decision.assignments(1).waits_for(), "node-1 to serve first"));
  cluster.Rule(0, "runtimes-match-r").set_outcome(v1::PASS);
  decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_GT(decision.assignments(0).order().serial(), started.serial());  // it has to be told
}

TEST(ChangeRolling, DoesNotOpenWhatDoesNotAnswerOrIsOfAnotherVersion) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.input.mutable_next()->mutable_spec()->mutable_connect()->set_version(kOldVersion);
  GoUntil(cluster, 0, v1::READY);
  ASSERT_EQ(StatesOf(cluster.Step()), "closed, serving");
  v1::FactsBrief& facts = *cluster.node(0).mutable_brief()->mutable_facts();
  facts.set_answers(false);
  EXPECT_EQ(StatesOf(cluster.Decide()), "closed, serving");
  EXPECT_EQ(cluster.Decide().rollout().nodes(0).step(), v1::RolloutStep::STARTING);
  facts.set_answers(true);
  cluster.node(0).clear_running_version();
  EXPECT_EQ(StatesOf(cluster.Decide()), "closed, serving");
  cluster.node(0).set_running_version(kOldVersion);
  facts.set_mount_verified(false);
  EXPECT_EQ(StatesOf(cluster.Decide()), "closed, serving");
  facts.set_mount_verified(true);
  EXPECT_EQ(StatesOf(cluster.Decide()), "serving, serving");
}

TEST(ChangeRolling, StopsAtACanaryThatDoesNotStart) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.input.mutable_next()->mutable_spec()->mutable_rollout()->set_max_unavailable(2);
  GoUntil(cluster, 0, v1::READY);
  ASSERT_EQ(StatesOf(cluster.Step()), "closed, serving, serving");  // the first goes alone
  FailToStart(cluster, 0, "connect: unknown key Servr.Address");
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "stopped, serving, serving");
  EXPECT_EQ(decision.rollout().phase(), Status::ROLLING);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "stopped, serving, serving");
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::FAILED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "Servr.Address"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
  ASSERT_GT(decision.said_size(), 0);
  // A person mends it.
  cluster.node(0).clear_start_failed();
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

// That is the fix of a configuration that does not do: it comes first where it is needed most.
TEST(ChangeRolling, GoesBackByANewerGenerationFromACanaryThatDoesNotComeUp) {
  PlanCluster cluster = ToBeRestarted(3);
  GoUntil(cluster, 0, v1::READY);
  ASSERT_EQ(StatesOf(cluster.Step()), "closed, serving, serving");
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  v1::Decision decision = GoOn(cluster, minutes(11));
  EXPECT_EQ(StatesOf(decision), "closed, serving, serving");
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "it takes more than 10m"))
      << decision.rollout().reason();
  // No rule is in the way.
  EXPECT_TRUE(StrContains(FixesOf(decision), "journalctl -u rstudio-connect on node-1"));
  EXPECT_FALSE(StrContains(FixesOf(decision), "waive")) << FixesOf(decision);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  decision = cluster.Step();
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::SUPERSEDED);
  decision = GoUntil(cluster, 0, v1::PREPARING);
  EXPECT_EQ(StatesOf(decision), "preparing, serving, serving");
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.rollout().generation(), kNext + 1);
  EXPECT_EQ(StatesOf(decision), "serving, serving, serving");
}

// Not to the one before, which did not come up either.
TEST(ChangeRolling, GoesBackToWhatWasGoneToInFull) {
  PlanCluster cluster = ToBeRestarted(3);
  v1::Decision decision;
  for (const uint64_t generation : {kNext, kNext + 1}) {
    if (generation != kNext) {
      ProposeNext(cluster, generation, kConfigFile, v1::Change::RESTART);
      GoUntil(cluster, 0, v1::PREPARING);
    }
    GoUntil(cluster, 0, v1::READY);
    ASSERT_EQ(StatesOf(cluster.Step()), "closed, serving, serving");
    cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
    decision = GoOn(cluster, minutes(11));
    EXPECT_EQ(decision.rollout().generation(), generation);
    EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
    EXPECT_FALSE(StrContains(FixesOf(decision), "connect-ha spec rollback 8"));
  }
  EXPECT_EQ(decision.remember().rollout().from(), kNext);
  ProposeNext(cluster, kNext + 2, kConfigFile, v1::Change::RESTART);
  GoUntil(cluster, 0, v1::PREPARING);
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.remember().good_generation(), kNext + 2);
}

TEST(ChangeRolling, StopsWhereANodeIsStuck) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.makes_changes = false;
  GoUntil(cluster, 0, v1::PREPARING);
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_state(v1::Convergence::STUCK);
  v1::Trouble& trouble = *convergence.add_troubles();
  trouble.set_resource(kConfigFile);
  trouble.set_error("no space left on device");
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "no space left on device"));
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
}

// Nobody leaves before what is added is everywhere.
TEST(ChangeRolling, StopsWhereANodeIsStuckInService) {
  PlanCluster cluster = ToBeRestarted(2);
  for (const int i : {0, 1}) WouldChange(cluster, i, "package r-4.4.1", v1::Change::NOTHING);
  cluster.Step();
  cluster.Step();
  v1::Convergence& convergence = *cluster.node(1).mutable_convergence();
  convergence.set_state(v1::Convergence::STUCK);
  v1::Trouble& trouble = *convergence.add_troubles();
  trouble.set_resource("package r-4.4.1");
  trouble.set_error("no space left on device");
  const v1::Decision decision = GoOn(cluster, minutes(20));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-2: package r-4.4.1: no space"))
      << decision.rollout().reason();
}

TEST(ChangeRolling, GoesOnWhereAPauseEnds) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.Say(v1::Word::PAUSE, "");
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "serving, serving");  // its Connect ran on: it is not closed
  decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().standing(), Status::PAUSED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout resume"));
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "paused by admin/alice"));
  cluster.TakeBack(v1::Word::PAUSE);
  GoUntil(cluster, 0, v1::PREPARING);
  cluster.Say(v1::Word::PAUSE, "");
  decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(StatesOf(decision), "serving, serving");  // who was out comes back, changed
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::CHANGED);
  EXPECT_EQ(decision.rollout().nodes(1).step(), v1::RolloutStep::WAITING);
}

TEST(ChangeRolling, IsAbortedWithAllNodesServing) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 0, v1::PREPARING);
  AbortIt(cluster);
  v1::Decision decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().phase(), Status::ABORTED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::CHANGED);
  EXPECT_EQ(decision.rollout().nodes(1).step(), v1::RolloutStep::WAITING);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  decision = cluster.Step();
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::ABORTED);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeRolling, AnAbortEndsWithItOnceItIsDoneAndNobodyIsLeft) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 1, v1::PREPARING);
  AbortIt(cluster);
  EXPECT_EQ(GoTo(cluster, Status::DONE).ended(0).end(), v1::Rollout::DONE);
  EXPECT_EQ(cluster.input.words_size(), 0);
}

TEST(ChangeRolling, AnAbortKeepsWhoWasLostFromBeingChangedWhenItIsBack) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 0, v1::PREPARING);
  AbortIt(cluster);
  cluster.Lose(1);
  GoTo(cluster, Status::DONE);
  EXPECT_EQ(cluster.input.words_size(), 1);
  cluster.node(1).set_fresh(true);
  cluster.node(1).mutable_brief()->set_lost(false);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(20))), "serving, serving");
}

TEST(ChangeRolling, IsAbortedBeforeItBegan) {
  PlanCluster cluster = ToBeRestarted(2);
  AbortIt(cluster);
  const v1::Decision decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(decision.rollout().phase(), Status::ABORTED);
  EXPECT_EQ(decision.remember().generation(), kGeneration);
  EXPECT_FALSE(decision.remember().has_rollout());
  EXPECT_EQ(StatesOf(decision), "serving, serving");
}

TEST(ChangeRolling, LeavesFewerThanMinimumServingOnlyWithDowntimeApproved) {
  for (const int nodes : {1, 2}) {
    PlanCluster cluster = ToBeRestarted(nodes);
    cluster.input.mutable_next()->mutable_spec()->mutable_nodes()->set_minimum_serving(nodes);
    v1::Decision decision = GoOn(cluster, minutes(20));
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
    EXPECT_TRUE(StrContains(decision.assignments(0).reason(), "so few others serve"));
    EXPECT_TRUE(StrContains(decision.said(0).fix(), "connect-ha approve 8 --allow-downtime"));
    ApproveIt(cluster).set_downtime(true);
    decision = GoTo(cluster, Status::DONE);
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
    EXPECT_EQ(decision.ended(0).approved_by(), "admin/alice");
    EXPECT_EQ(cluster.input.words_size(), 0);  // it ends with the change
  }
}

// One that serves is lost: nothing was done yet to the one that drains.
TEST(ChangeRolling, TakesBackWhoDrainsWhereTooFewAreLeft) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.input.mutable_next()->mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.Step();
  cluster.Lose(2);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_FALSE(decision.assignments(0).closed());
  EXPECT_TRUE(StrContains(decision.assignments(0).reason(), "too few others serve"));
  decision = GoOn(cluster, minutes(20));
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(StrContains(decision.assignments(0).reason(), "so few others serve: 1"));
  cluster.node(2).set_fresh(true);
  cluster.node(2).mutable_brief()->set_lost(false);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

TEST(ChangeRolling, TakesAsManyAtOnceAsMayBeOutAfterTheFirst) {
  PlanCluster cluster = ToBeRestarted(5);
  cluster.input.mutable_next()->mutable_spec()->mutable_rollout()->set_max_unavailable(2);
  int most = 0;
  v1::Decision decision;
  for (int i = 0; i < 400 && decision.rollout().phase() != Status::DONE; ++i) {
    decision = cluster.Step();
    const int out = 5 - Serving(decision);
    if (cluster.memory(0).reached() < kNext) {
      ASSERT_LE(out, 1) << TextsOf(decision);
    }
    most = std::max(most, out);
    cluster.Wait(seconds(10));
  }
  EXPECT_EQ(most, 2);
  EXPECT_EQ(decision.rollout().phase(), Status::DONE);
}

TEST(ChangeRolling, IsNotHeldUpByALostNodeWhichIsChangedOnceItIsBack) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Lose(2);
  v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.rollout().nodes(2).step(), v1::RolloutStep::ABSENT);
  cluster.node(2).set_fresh(true);
  cluster.node(2).mutable_brief()->set_lost(false);
  decision = GoUntil(cluster, 2, v1::DRAINING);
  EXPECT_EQ(StatesOf(decision), "serving, serving, draining");
  GoUntil(cluster, 2, v1::READY);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving, serving");
  EXPECT_EQ(cluster.memory(2).reached(), kNext);
}

TEST(ChangeRolling, WaitsForWhoeverIsOutOfServiceForAnotherReason) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Fail(1, "clocks-are-synchronised");
  v1::Decision decision = cluster.Step();
  ASSERT_EQ(decision.assignments(1).state(), v1::DRAINING);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "node-2 to serve first"))
      << TextsOf(decision);
}

// A person has it: nothing is waited for.
TEST(ChangeRolling, GoesOnBesideANodeThatAPersonHolds) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Say(v1::Word::STOP, "node-2").set_now(true);
  cluster.Settle();
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(StatesOf(decision), "serving, stopped, serving");
}

TEST(ChangeRolling, AddsRuntimesEverywhereFirst) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.Step();
  cluster.Step();  // it is in force, and taken
  v1::Change& added = *cluster.node(1).mutable_convergence()->add_changes();
  added.set_resource("package python-3.12.4");
  added.set_needs(v1::Change::NOTHING);
  v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "without a restart, on node-2"))
      << TextsOf(decision);
  cluster.node(1).mutable_convergence()->mutable_changes()->RemoveLast();
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
}

// They differ on purpose while they go over one after the other: nobody is held for that.
TEST(ChangeRolling, IsNotHeldByWhatDiffersAmongPeersMeanwhile) {
  PlanCluster cluster = ToBeRestarted(3);
  GoUntil(cluster, 0, v1::READY);
  for (const int i : {0, 1, 2}) cluster.Fail(i, "configuration-matches", v1::PEERS, true);
  v1::Decision decision = GoOn(cluster, seconds(20));
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_FALSE(decision.assignments(0).closed()) << TextsOf(decision);
  // Of five the changed ones are the majority by and by.
  cluster.Fail(2, "configuration-matches", v1::PEERS);
  decision = GoOn(cluster, minutes(1));
  EXPECT_NE(decision.assignments(1).state(), v1::SERVING);  // its turn
  EXPECT_EQ(decision.assignments(2).state(), v1::SERVING);
  for (const int i : {0, 1, 2}) cluster.Rule(i, "configuration-matches").set_outcome(v1::PASS);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
  // Done, it counts again, once everything was looked at anew.
  cluster.Wait(minutes(2));
  cluster.Fail(2, "configuration-matches", v1::PEERS);
  EXPECT_EQ(cluster.State(2), v1::DRAINING);
}

// Nor where the specification has the rule do more.
TEST(ChangeRolling, IsNotHeldByWhatClosesAmongPeersMeanwhile) {
  PlanCluster cluster = ToBeRestarted(3);
  v1::ClusterSpec& next = *cluster.input.mutable_next()->mutable_spec();
  (*next.mutable_rules())["configuration-matches"].set_action(v1::CLOSE);
  GoUntil(cluster, 0, v1::READY);
  for (const int i : {0, 1, 2}) cluster.Fail(i, "configuration-matches", v1::PEERS, true);
  const v1::Decision decision = GoOn(cluster, seconds(20));
  EXPECT_EQ(StatesOf(decision), "serving, draining, serving") << TextsOf(decision);
}

TEST(ChangeRolling, TheNewerOfTwoWinsAtTheNextStep) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.node(1).mutable_staged()->set_ready(false);
  EXPECT_EQ(cluster.Step().rollout().phase(), Status::STAGING);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.rollout().generation(), kNext + 1);
  EXPECT_EQ(decision.ended(0).from(), kGeneration);  // the one between was never in force
}

TEST(ChangeRolling, CountsWhomTheGatesRefused) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.node(0).set_refused(10);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.node(0).set_refused(25);
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.ended(0).nodes(0).refused(), 15u);
  EXPECT_EQ(decision.ended(0).nodes(1).refused(), 0u);
}

// What it was told last before that is not lost, nor does a coordinator's start count it anew.
TEST(ChangeRolling, CountsWhomTheGatesRefusedThoughTheirAgentsCountAnew) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.node(0).set_refused(10);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.node(0).set_refused(25);
  cluster.Stale(0);  // its facts are not sent yet
  cluster.Step();
  cluster.node(0).set_refused(3);
  cluster.Step();
  cluster.node(0).set_fresh(true);
  cluster.Restart();
  cluster.node(0).set_refused(4);
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.ended(0).nodes(0).refused(), 19u);
}

// Each time the other one calls, the count is another one's.
TEST(ChangeRolling, CountsNobodyWhileTwoMachinesSpeakUnderTheName) {
  PlanCluster cluster = ToBeRestarted(2);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.node(0).mutable_brief()->set_claimants(2);
  for (const uint64_t refused : {900, 5, 900}) {
    cluster.node(0).set_refused(refused);
    cluster.Step();
  }
  cluster.node(0).mutable_brief()->set_claimants(1);
  cluster.node(0).set_refused(5);
  EXPECT_EQ(GoTo(cluster, Status::DONE).ended(0).nodes(0).refused(), 5u);
}

// Who is out as it ends is counted up to then.
TEST(ChangeRolling, CountsWhoIsOutStill) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.node(0).set_refused(10);
  GoUntil(cluster, 0, v1::DRAINING);
  cluster.node(0).set_refused(25);
  cluster.Wait(seconds(60));
  cluster.Step();
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  const v1::Decision decision = cluster.Step();
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::SUPERSEDED);
  EXPECT_GE(decision.ended(0).nodes(0).out_us(), int64_t{60'000'000});
  EXPECT_EQ(decision.ended(0).nodes(0).refused(), 15u);
  EXPECT_FALSE(decision.ended(0).nodes(0).has_out_since());
}

}  // namespace
}  // namespace connect_ha
