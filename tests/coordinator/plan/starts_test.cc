// Connects that do not start, do not stay up, are started by somebody else, or start anew.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The database was away, and both gave up.
TEST(StartsTest, APersonHasItTriedAgainWhereNobodyServes) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) {
    Rests(cluster, i);
    cluster.node(i).set_start_failed("connect: no database");
  }
  v1::Decision decision = cluster.Settle();
  for (const int i : {0, 1}) {
    ASSERT_EQ(decision.assignments(i).state(), v1::SERVING);
    ASSERT_TRUE(absl::StrContains(decision.said(i).fix(), "connect-ha node start node-"));
    ASSERT_TRUE(absl::StartsWith(decision.assignments(i).waits_for(), "connect-ha node start"));
  }
  const v1::Order before = decision.assignments(0).order();
  cluster.Say(v1::Word::START, "node-1");
  decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_GT(decision.assignments(0).order().serial(), before.serial());  // so its agent tries
  EXPECT_EQ(decision.assignments(1).order().serial(), before.serial());
  EXPECT_EQ(decision.ended_words_size(), 1);
  const v1::Order given = decision.assignments(0).order();
  EXPECT_EQ(cluster.Settle().assignments(0).order().serial(), given.serial());  // once
}

// The other one came up meanwhile: what failed for long is no judgement of the new try.
TEST(StartsTest, WhatAPersonHasTriedAgainHasTimeToStart) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  cluster.node(0).set_start_failed("connect: no database");
  cluster.Wait(minutes(30));
  cluster.Say(v1::Word::START, "node-1");
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
  Rests(cluster, 0);
  *cluster.Rule(0, kService).mutable_since() = cluster.memory(0).since();
  cluster.node(0).clear_start_failed();
  cluster.Wait(minutes(1));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  Runs(cluster, 0);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(StartsTest, APersonHasItTriedAgainWhereAnotherServes) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  cluster.node(0).set_start_failed("connect: no database");
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::STOPPED);  // it failed again
}

// Said in the moment in which the rule takes it out.
TEST(StartsTest, APersonHasItTriedAgainAsItLeaves) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  cluster.Wait(minutes(1));
  ASSERT_EQ(cluster.State(0), v1::STOPPED);
  cluster.Say(v1::Word::START, "node-1");
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::READY);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// What keeps it from starting is perhaps what differs; nobody is interrupted.
TEST(StartsTest, TheLastOneThatDoesNotStartIsBroughtToANewSpecification) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) {
    Rests(cluster, i);
    cluster.node(i).set_start_failed("connect: bad licence");
    Differs(cluster, i);
  }
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::PREPARING);
  EXPECT_EQ(cluster.Step().assignments(1).state(), v1::PREPARING);
  for (const int i : {0, 1}) {
    cluster.node(i).clear_convergence();
    cluster.node(i).mutable_convergence()->set_generation(kGeneration);
    cluster.node(i).mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  }
  cluster.Step();
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

// Of a Connect that rests its unit comes first among the changes, which interrupts nobody.
TEST(StartsTest, AnotherPackageIsInstalledWhereTheUnitDiffersToo) {
  PlanCluster cluster(1);
  Rests(cluster, 0);
  v1::Change& unit = *cluster.node(0).mutable_convergence()->add_changes();
  unit.set_resource("unit rstudio-connect.service");
  Differs(cluster, 0);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "a change: package rstudio-connect"));
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

// Its turn comes as that of a node which serves; nobody is served less by that, and nobody is
// waited for.
TEST(StartsTest, ARestartOfConnectIsNoChanceToChangeItOutOfTurn) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  Differs(cluster, 0);
  cluster.Become(1, v1::READY);
  cluster.Say(v1::Word::CORDON, "node-2");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "a change: package rstudio-connect"))
      << cluster.Reason(0);
  cluster.Become(1, v1::SERVING);
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

TEST(StartsTest, WhatIsToStartSaysWhatItWaitsFor) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  *cluster.input.mutable_memory() = cluster.Decide().remember();  // the node has not called yet
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  EXPECT_EQ(cluster.Reason(0),
            "its gate is closed until it is known to be right | its agent to get there");
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_state(v1::Convergence::WAITING);
  v1::Trouble& trouble = *convergence.add_troubles();
  trouble.set_resource("unit rstudio-connect.service");
  trouble.set_error("Connect may not start on this node: the database does not answer");
  EXPECT_EQ(cluster.Reason(0),
            "its gate is closed until it is known to be right | its agent to get there: unit "
            "rstudio-connect.service: Connect may not start on this node: the database does not "
            "answer");
}

// It was started by hand, and is as the specification says.
TEST(StartsTest, WhatSomebodyStartedIsObservedBeforeItIsAdopted) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  Runs(cluster, 0);
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
  EXPECT_NE(cluster.Reason(0), " | ");
  cluster.node(0).mutable_brief()->set_reported_state(v1::OBSERVED);
  *cluster.node(0).mutable_obeys() = cluster.memory(0).order();
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

// It was never enabled, and nobody enables what is drained.
TEST(StartsTest, ADrainThatIsTakenBackEndsWhereABootWouldNotStartConnect) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::DRAINING);
  cluster.Fail(0, kService);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.memory(0).add_out_for(kService);  // for which it was taken out
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.memory(0).clear_out_for();
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

// The rule fails from the moment on at which Connect is to run.
TEST(StartsTest, AConnectHasTimeToStart) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.Step();
  ASSERT_FALSE(cluster.Step().assignments(0).closed());
  v1::PlanNode& node = cluster.node(0);
  ASSERT_EQ(node.brief().reported_state(), v1::SERVING);
  node.mutable_brief()->mutable_facts()->set_answers(false);
  cluster.Fail(0, kService);
  *cluster.Rule(0, kService).mutable_since() = cluster.input.now();
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  EXPECT_EQ(cluster.Settle().wake_at().seconds(), cluster.input.now().seconds() + 60);
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  // As long as its agent is still at it, it says itself how that ends.
  node.mutable_brief()->set_reported_state(v1::READY);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(StartsTest, WhatDoesNotStayUpLeavesServiceUntilAPersonTriesAgain) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  cluster.node(0).set_connect(v1::CONNECT_RUNS);  // systemd starts it again and again
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.node(0).set_connect(v1::CONNECT_RESTS);      // and gives up
  cluster.Rule(0, kService).set_outcome(v1::UNKNOWN);  // not judged yet
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  EXPECT_NE(cluster.Settle().assignments(0).waits_for(), "");
  cluster.Rule(0, kService).set_outcome(v1::FAIL);
  v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::STOPPED);
  EXPECT_TRUE(absl::StrContains(decision.assignments(0).waits_for(), "connect-ha node start"));
  cluster.Wait(minutes(60));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::STOPPED);
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// systemd never gives up; its agent has counted.
void Loops(PlanCluster& cluster, int i) {
  Rests(cluster, i);
  cluster.node(i).set_connect(v1::CONNECT_RUNS);
  cluster.node(i).mutable_brief()->mutable_facts()->set_unit_state("activating");
  cluster.node(i).set_start_failed("connect: bad licence");
}

TEST(StartsTest, WhatSystemdStartsAgainAndAgainIsStoppedWhereAnotherServes) {
  PlanCluster cluster(2);
  Loops(cluster, 0);
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::STOPPED);
  EXPECT_TRUE(absl::StrContains(TextsOf(decision), "bad licence")) << TextsOf(decision);
}

TEST(StartsTest, TheLastOneThatSystemdStartsAgainAndAgainStaysAndSaysWhy) {
  PlanCluster cluster(1);
  Loops(cluster, 0);
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(absl::StrContains(TextsOf(decision), "bad licence")) << TextsOf(decision);
}

// Its rule had taken it out before its agent had counted so far.
TEST(StartsTest, WhatDrainsAndIsStartedAgainAndAgainIsStopped) {
  PlanCluster cluster(2);
  Loops(cluster, 0);
  cluster.node(0).clear_start_failed();
  cluster.Wait(seconds(30));
  ASSERT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.node(0).set_start_failed("connect: bad licence");
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::STOPPED);
  EXPECT_TRUE(absl::StrContains(decision.assignments(0).reason(), "bad licence"))
      << decision.assignments(0).reason();
}

TEST(StartsTest, APersonHasWhatDrainsAndIsStartedAgainAndAgainTriedAnew) {
  PlanCluster cluster(2);
  Loops(cluster, 0);
  cluster.node(0).clear_start_failed();
  cluster.Wait(seconds(30));
  ASSERT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.node(0).set_start_failed("connect: bad licence");
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
}

// What else was wrong explains it, and may pass.
TEST(StartsTest, WhatWasDownWithItsCauseStartsOnceThatIsRight) {
  PlanCluster cluster(2);
  cluster.Fail(0, "database-reachable");
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  Rests(cluster, 0);
  cluster.Settle();
  EXPECT_EQ(cluster.State(0), v1::READY);
  cluster.Rule(0, "database-reachable").set_outcome(v1::PASS);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// The database went away: Connect ended by that before it was known.
TEST(StartsTest, WhatGaveUpIsNoCaseForAPersonWhileSomethingElseMayExplainIt) {
  PlanCluster cluster(2);
  Rests(cluster, 0);
  cluster.Wait(seconds(20));
  v1::NodeRule& database = cluster.Rule(0, "database-reachable");
  database.set_outcome(v1::UNKNOWN);
  cluster.Wait(seconds(10));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.Fail(0, "database-reachable");
  *database.mutable_since() = cluster.input.now();
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::READY);
  database.set_outcome(v1::PASS);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// Somebody installed another version after it was told to serve, and before it began to: its agent
// installs nothing on a node that serves, and starts nothing else.
TEST(StartsTest, WhatWasChangedBeforeItsStartIsPreparedAnew) {
  PlanCluster cluster(2);
  cluster.node(0).set_connect(v1::CONNECT_RESTS);
  cluster.node(0).mutable_brief()->set_reported_state(v1::READY);
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.add_changes()->set_resource("package rstudio-connect");
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

TEST(StartsTest, ARestartOfAnObservedConnectIsNoRest) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  Differs(cluster, 0);
  cluster.Settle();
  Rests(cluster, 0);
  const v1::Decision waits = cluster.Settle();
  EXPECT_EQ(waits.assignments(0).state(), v1::OBSERVED);
  EXPECT_NE(waits.assignments(0).waits_for(), "");
  EXPECT_EQ(waits.wake_at().seconds(), cluster.input.now().seconds() + 30);
  Runs(cluster, 0);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::OBSERVED);
  Rests(cluster, 0);
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.State(0), v1::PREPARING);
}

TEST(StartsTest, AnObservedNodeIsFencedAtOnceThoughItsConnectRestsForAMoment) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  Differs(cluster, 0);
  cluster.Settle();
  Rests(cluster, 0);
  ASSERT_EQ(cluster.State(0), v1::OBSERVED);
  cluster.Say(v1::Word::FENCE, "node-1");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// A boot starts the agent before it starts Connect; masked, that would never start.
TEST(StartsTest, ABootOfANodeOnWhichNobodyMayStartConnectHoldsItNot) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  cluster.node(0).mutable_brief()->set_allow(v1::ALLOW_INSTALL);
  cluster.Settle();
  Rests(cluster, 0);
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
  EXPECT_NE(cluster.Decide().assignments(0).waits_for(), "");
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.State(0), v1::READY);
}

// An agent that was only to look on stops no Connect: it would never get there.
TEST(StartsTest, WhatStartsWhileItIsToldToPrepareIsLeftAlone) {
  PlanCluster cluster(2);
  cluster.Bare(0);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  *cluster.node(0).mutable_obeys() = cluster.memory(0).order();
  ASSERT_EQ(cluster.State(0), v1::PREPARING);
  Runs(cluster, 0);
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
}

// The same for a drain without waiting: its agent closes it first.
TEST(StartsTest, WhatWasFoundRunningIsDrainedBeforeItIsStopped) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  Differs(cluster, 0);
  cluster.Settle();
  cluster.Say(v1::Word::DRAIN, "node-1").set_now(true);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::PREPARING);
}

TEST(StartsTest, APersonsWordHoldsWhereItIsNotKnownWhetherConnectRuns) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  Differs(cluster, 0);
  cluster.Settle();
  cluster.node(0).set_connect(v1::CONNECT_UNKNOWN);
  cluster.Say(v1::Word::FENCE, "node-1");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

}  // namespace
}  // namespace connect_ha
