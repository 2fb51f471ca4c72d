// What each rule's failing does, and where nothing is done.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kFences[] = "data-dir-is-shared";
constexpr char kCloses[] = "clocks-are-synchronised";
constexpr char kHolds[] = "runtimes-match-r";
constexpr char kVersion[] = "connect-version-matches";

void PassesAgain(PlanCluster& cluster, int i, const std::string& rule) {
  v1::NodeRule& line = cluster.Rule(i, rule);
  line.set_outcome(v1::PASS);
  *line.mutable_since() = cluster.input.now();
}

bool IsSaid(const v1::Decision& decision, const std::string& text) {
  for (const v1::Said& said : decision.said()) {
    if (absl::StrContains(said.text(), text)) return true;
  }
  return false;
}

TEST(RulesTest, EachDoesWhatItsRowSays) {
  const struct {
    const char* rule;
    v1::NodeState state;
  } cases[] = {
      {"data-dir-is-shared", v1::FENCED},        {"database-dir-is-shared", v1::FENCED},
      {"database-is-same", v1::FENCED},          {"database-is-postgres", v1::FENCED},
      {"encryption-key-matches", v1::FENCED},    {"storage-is-mounted", v1::FENCED},
      {"clocks-are-synchronised", v1::DRAINING}, {"accounts-match", v1::DRAINING},
      {"service-is-healthy", v1::DRAINING},      {"storage-is-alive", v1::DRAINING},
      {"runtimes-match-python", v1::DRAINING},   {"configuration-matches", v1::DRAINING},
      {"database-reachable", v1::DRAINING},      {"connect-version-matches", v1::DRAINING},
      {"storage-options", v1::SERVING},          {"disk-has-room", v1::SERVING},
      {"facts-are-fresh", v1::SERVING},          {"no-such-rule", v1::SERVING},
  };
  for (const auto& one : cases) {
    PlanCluster cluster(2);
    cluster.Rule(1, one.rule);
    cluster.Fail(0, one.rule);
    const v1::Decision decision = cluster.Decide();
    EXPECT_EQ(decision.assignments(0).state(), one.state) << one.rule;
    EXPECT_EQ(decision.assignments(1).state(), v1::SERVING) << one.rule;
  }
}

TEST(RulesTest, AFencedNodeComesBackOnceWhatWasWrongHasBeenRightForAWhile) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  const v1::Decision fenced = cluster.Step();
  EXPECT_EQ(fenced.assignments(0).state(), v1::FENCED);
  EXPECT_EQ(fenced.assignments(0).reason(), "data-dir-is-shared: it is wrong");
  EXPECT_EQ(fenced.remember().fences_size(), 1);
  cluster.Fail(0, "service-is-healthy");  // it is stopped, after all
  cluster.Rule(0, kFences).set_outcome(v1::UNKNOWN);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::FENCED);
  PassesAgain(cluster, 0, kFences);
  EXPECT_EQ(cluster.Settle().wake_at().seconds(), cluster.input.now().seconds() + 30);
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

TEST(RulesTest, AClosedNodeDrainsAndConnectRunsOn) {
  PlanCluster cluster(2);
  cluster.Fail(0, kCloses);
  cluster.Step();
  cluster.Wait(minutes(30));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  PassesAgain(cluster, 0, kCloses);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

TEST(RulesTest, HoldingLeavesMinimumServing) {
  PlanCluster cluster(3);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  cluster.Fail(0, kHolds);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Rule(2, kHolds).set_outcome(v1::UNKNOWN);  // not known to be without it
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(IsSaid(decision, "runtimes-match-r: it is wrong; it stays, since so few"));
}

TEST(RulesTest, WhatOnlyHoldsIsBetterThanNobody) {
  PlanCluster cluster(2);
  cluster.Fail(0, kHolds);
  cluster.Step();
  ASSERT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Stale(1);  // it may serve
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Lose(1);
  const v1::Decision back = cluster.Step();
  EXPECT_EQ(back.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(IsSaid(back, "it serves all the same"));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(RulesTest, TheLastOneStaysWhateverFails) {
  for (const char* rule : {kFences, kCloses, kHolds}) {
    PlanCluster cluster(2);
    cluster.Become(1, v1::STOPPED);
    cluster.Say(v1::Word::STOP, "node-2");
    cluster.Fail(0, rule);
    const v1::Decision decision = cluster.Decide();
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << rule;
    EXPECT_TRUE(IsSaid(decision, "it stays, since")) << rule;
    ASSERT_EQ(decision.said_size(), 1);
    EXPECT_NE(decision.said(0).fix(), "");
  }
}

TEST(RulesTest, TheSameFaultOnAllNodesTakesNobodyOut) {
  for (const int nodes : {2, 3, 5}) {
    for (const char* rule : {kFences, kCloses, kHolds, "database-reachable"}) {
      PlanCluster cluster(nodes);
      for (int i = 0; i < nodes; ++i) cluster.Fail(i, rule);
      const v1::Decision decision = cluster.Decide();
      for (const v1::NodeAssignment& one : decision.assignments()) {
        EXPECT_EQ(one.state(), v1::SERVING) << rule;
      }
      EXPECT_EQ(decision.said_size(), nodes) << rule;
    }
  }
}

// Each gate was closed by its own node, or is open since that was told to be the last one.
TEST(RulesTest, TheSameFaultOnBothIsSaidAndChangesNothingWhateverTheGatesAre) {
  for (const v1::GateState gate : {v1::GATE_CLOSED, v1::GATE_OPEN}) {
    PlanCluster cluster(2);
    for (const int i : {0, 1}) {
      cluster.Fail(i, kCloses);
      cluster.node(i).set_gate(gate);
    }
    const v1::Decision first = cluster.Step();
    cluster.Wait(minutes(10));
    const v1::Decision later = cluster.Step();
    for (const int i : {0, 1}) {
      EXPECT_EQ(first.assignments(i).state(), v1::SERVING);
      EXPECT_EQ(later.assignments(i).order().serial(), first.assignments(i).order().serial());
    }
    EXPECT_EQ(later.said_size(), 2);
    EXPECT_TRUE(IsSaid(later, "it stays, since so few others serve"));
  }
}

TEST(RulesTest, WhereNothingTellsWhoIsWrongNobodyIsTakenOutAndNoneEnters) {
  PlanCluster cluster(3);
  cluster.Become(2, v1::READY);
  cluster.Fail(0, kFences, v1::PROOF, /*undecided=*/true);
  cluster.Fail(1, kFences, v1::PROOF, /*undecided=*/true);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(2).state(), v1::READY);
  ASSERT_EQ(decision.said_size(), 1);
  EXPECT_TRUE(absl::StrContains(decision.said(0).fix(), "checklist --rule data-dir-is-shared"));
  ASSERT_EQ(decision.hazards_size(), 2);
  EXPECT_FALSE(decision.hazards(0).acts());
}

TEST(RulesTest, WhatTheSpecificationSaysActsOnceTheNodeHasBeenSo) {
  PlanCluster cluster(2);
  cluster.Fail(0, "encryption-key-matches", v1::SPEC);
  cluster.Rule(1, "encryption-key-matches");
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  cluster.memory(0).set_reached(kGeneration - 1);  // a change that is still to be made
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.memory(0).set_reached(kGeneration);  // drift
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// Its agent says that it is done before what it looks at was asked and judged anew.
TEST(RulesTest, WhatWasBroughtToTheSpecificationAMomentAgoIsLookedAtAnewFirst) {
  PlanCluster cluster(2);
  cluster.memory(0).set_reached(kGeneration - 1);
  cluster.Fail(0, "accounts-match", v1::SPEC);  // for as long as the change took
  cluster.Rule(1, "accounts-match");
  const v1::Decision done = cluster.Step();
  EXPECT_EQ(done.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(done.remember().nodes(0).reached(), kGeneration);
  EXPECT_EQ(done.wake_at().seconds(), cluster.input.now().seconds() + 60);
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

// A drain is taken back after something was applied for which Connect has to be restarted: the
// others serve with that difference, too. It is changed while it is out, where nothing speaks
// against that.
TEST(RulesTest, WhatIsStillToBeMadeKeepsNoConnectThatRunsFromItsService) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.input.set_generation(kGeneration + 1);
  for (const int i : {0, 1}) {
    v1::Convergence& convergence = *cluster.node(i).mutable_convergence();
    convergence.set_generation(kGeneration + 1);
    convergence.set_state(v1::Convergence::DIFFERS);
    convergence.add_changes()->set_interrupts("Connect reads it when it starts");
    cluster.Fail(i, "configuration-matches", v1::SPEC);
  }
  cluster.Step();
  cluster.TakeBack(v1::Word::DRAIN);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  EXPECT_TRUE(absl::StartsWith(cluster.Reason(0), "a change: ")) << cluster.Reason(0);
  cluster.Say(v1::Word::PAUSE, "");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Fail(0, kFences, v1::SPEC);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(RulesTest, AmongPeersThreeOrMoreThatServeDecide) {
  const auto state_of = [](int serving, int failing) {
    PlanCluster cluster(serving + 1);
    cluster.Become(serving, v1::STOPPED);  // has no vote
    cluster.Say(v1::Word::STOP, "node-" + std::to_string(serving + 1));
    for (int i = 0; i < failing; ++i) cluster.Fail(i, kFences, v1::PEERS);
    return cluster.State(0);
  };
  EXPECT_EQ(state_of(2, 1), v1::SERVING);
  EXPECT_EQ(state_of(3, 1), v1::FENCED);
  EXPECT_EQ(state_of(3, 2), v1::SERVING);
  EXPECT_EQ(state_of(4, 2), v1::SERVING);
}

TEST(RulesTest, WhatRestsOnNothingKnownDoesNothing) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences, v1::BASIS_UNSPECIFIED);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  for (const v1::Outcome outcome : {v1::UNKNOWN, v1::FOLLOWS, v1::NOT_APPLICABLE}) {
    PlanCluster other(2);
    other.Rule(0, kFences).set_outcome(outcome);
    EXPECT_EQ(other.State(0), v1::SERVING);
  }
  PlanCluster advice(2);
  advice.Fail(0, "license-is-valid");
  advice.Rule(1, "license-is-valid");
  EXPECT_EQ(advice.State(0), v1::DRAINING);
  advice.Rule(0, "license-is-valid").set_rule_class(v1::ADVICE);  // it ends soon
  EXPECT_EQ(advice.State(0), v1::SERVING);
}

// The right file system, mounted by hand; the key, which a group may read.
TEST(RulesTest, WhatIsOfLessWeightThanItsRuleOnlyTells) {
  for (const char* rule : {kFences, kCloses}) {
    PlanCluster cluster(2);
    cluster.Fail(0, rule);
    cluster.Rule(0, rule).set_rule_class(v1::ADVICE);
    cluster.Rule(1, rule);
    EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING) << rule;
  }
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.Fail(0, kFences);
  cluster.Rule(0, kFences).set_rule_class(v1::SERVICE);
  cluster.Rule(1, kFences);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  cluster.Rule(0, kFences).set_rule_class(v1::DATA);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::FENCED);
}

// Its Connect answers again; that a boot does not start it, keeps it out no longer.
TEST(RulesTest, WhatOnlyTellsBringsANodeBack) {
  PlanCluster cluster(2);
  cluster.Fail(0, kCloses);
  cluster.Rule(1, kCloses);
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Rule(0, kCloses).set_rule_class(v1::ADVICE);
  *cluster.Rule(0, kCloses).mutable_since() = cluster.input.now();
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(RulesTest, OneFenceAnHourThenItAsks) {
  PlanCluster cluster(4);
  cluster.Fail(0, kFences);
  cluster.Fail(1, "database-is-same");
  for (const int i : {0, 2, 3}) cluster.Rule(i, "database-is-same");
  const v1::Decision first = cluster.Step();
  EXPECT_EQ(first.assignments(0).state(), v1::FENCED);
  EXPECT_EQ(first.assignments(1).state(), v1::SERVING);
  EXPECT_TRUE(IsSaid(first, "rules have fenced as many nodes within the hour as they may: 1"));
  const v1::Decision waits = cluster.Settle();
  EXPECT_EQ(waits.wake_at().seconds(), cluster.input.now().seconds() + 3600);
  cluster.input.mutable_spec()->mutable_nodes()->set_fences_per_hour(2);
  EXPECT_EQ(cluster.State(1), v1::FENCED);
  cluster.input.mutable_spec()->mutable_nodes()->clear_fences_per_hour();
  cluster.Say(v1::Word::FENCE, "node-2");  // a person has no limit
  EXPECT_EQ(cluster.State(1), v1::FENCED);
  cluster.TakeBack(v1::Word::FENCE);
  cluster.Wait(minutes(60));
  EXPECT_EQ(cluster.State(1), v1::FENCED);
}

TEST(RulesTest, AFactHasToLastWhereItCanFlap) {
  PlanCluster cluster(2);
  cluster.Fail(0, kCloses);
  *cluster.Rule(0, kCloses).mutable_since() = cluster.input.now();
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.wake_at().seconds(), cluster.input.now().seconds() + 30);
  v1::RuleSpec& said = (*cluster.input.mutable_spec()->mutable_rules())[kCloses];
  said.mutable_fail_after()->set_seconds(10);
  cluster.Wait(seconds(10));
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(RulesTest, TheSpecificationSaysWhatARuleDoesButNotLessThanToFence) {
  PlanCluster cluster(2);
  auto& rules = *cluster.input.mutable_spec()->mutable_rules();
  rules[kCloses].set_action(v1::TELL);
  cluster.Fail(0, kCloses);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  rules[kCloses].set_action(v1::FENCE);
  EXPECT_EQ(cluster.State(0), v1::FENCED);
  PlanCluster other(2);
  (*other.input.mutable_spec()->mutable_rules())[kFences].set_action(v1::TELL);
  other.Fail(0, kFences);
  EXPECT_EQ(other.State(0), v1::FENCED);
}

TEST(RulesTest, AnAdminWaivesWhatFencesAndOnlyWithAnEnd) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "");
  word.set_rule(kFences);
  EXPECT_EQ(cluster.State(0), v1::FENCED);  // no end
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 3600);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  word.set_node("node-2");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
  word.set_node("node-1");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  word.set_role(v1::OPERATOR);
  EXPECT_EQ(cluster.State(0), v1::FENCED);
  word.set_role(v1::ADMIN);
  cluster.Wait(minutes(60));
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::FENCED);
  EXPECT_EQ(decision.ended_words_size(), 1);
}

TEST(RulesTest, AnOperatorWaivesWhatHolds) {
  PlanCluster cluster(2);
  cluster.Fail(0, kHolds);
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "node-1");
  word.set_rule(kHolds);
  word.set_role(v1::OPERATOR);
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 3600);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(RulesTest, AClockThatRanBackEndsWhatWasPermitted) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "node-1");
  word.set_rule(kFences);
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 7200);
  cluster.Wait(minutes(90));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
  cluster.Wait(minutes(-80));
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::FENCED);
  EXPECT_EQ(decision.ended_words_size(), 1);
}

TEST(RulesTest, AnAdminLetsAFencedNodeBackForATime) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  cluster.Settle();
  v1::Word& word = cluster.Say(v1::Word::UNFENCE, "node-1");
  EXPECT_EQ(cluster.State(0), v1::FENCED);  // no end
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 600);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  cluster.Wait(minutes(61));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::FENCED);
}

TEST(RulesTest, TwoVersionsAgainstOneDatabaseFence) {
  PlanCluster cluster(2);
  cluster.Fail(0, kVersion, v1::SPEC);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);  // installed, and not yet started
  cluster.node(0).set_running_version("2024.09.0");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// Neither has been as the specification says since it names another version.
TEST(RulesTest, TwoVersionsOfWhichNobodyKnowsTheWrongOneAreTold) {
  PlanCluster cluster(2);
  cluster.node(0).set_running_version("2024.09.0");
  cluster.Fail(1, kVersion, v1::SPEC);
  cluster.memory(1).set_reached(kGeneration - 1);
  cluster.node(1).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_TRUE(IsSaid(decision, "2024.08.0 on node-2; 2024.09.0 on node-1"));
  cluster.memory(1).set_reached(kGeneration);
  const v1::Decision fenced = cluster.Decide();
  EXPECT_EQ(fenced.assignments(1).state(), v1::FENCED);
  EXPECT_FALSE(IsSaid(fenced, "several versions"));
}

TEST(RulesTest, OldFactsDoNothing) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  cluster.Stale(0);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.hazards_size(), 0);
}

TEST(RulesTest, WhoeverHealthChecksConnectItselfSeesNoGate) {
  PlanCluster cluster(2);
  cluster.node(1).set_gate(v1::GATE_CLOSED);
  cluster.Fail(0, kFences);
  EXPECT_EQ(cluster.State(0), v1::SERVING);  // the other's gate is closed
  cluster.input.mutable_spec()->mutable_load_balancer()->set_health_check(
      v1::LoadBalancerSpec::CONNECT);
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

class AskedConnect : public PlanCluster {
 public:
  explicit AskedConnect(int nodes) : PlanCluster(nodes) {
    input.mutable_spec()->mutable_load_balancer()->set_health_check(v1::LoadBalancerSpec::CONNECT);
  }
};

// It would be counted as out of service, and users would be sent there all the same.
TEST(RulesTest, NothingIsClosedWhereConnectItselfIsAsked) {
  for (const char* rule : {kCloses, kHolds}) {
    AskedConnect cluster(2);
    cluster.Fail(0, rule);
    const v1::Decision decision = cluster.Decide();
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << rule;
    ASSERT_EQ(decision.hazards_size(), 1);
    EXPECT_TRUE(absl::StrContains(decision.hazards(0).why_not(), "asks Connect itself"));
    // So the other one, which would harm data, is not the last one that serves.
    cluster.Fail(1, kFences);
    EXPECT_EQ(cluster.State(1), v1::FENCED) << rule;
  }
}

TEST(RulesTest, NothingIsStartedWithAFaultWhereConnectItselfIsAsked) {
  for (const char* rule : {kCloses, kHolds}) {
    AskedConnect cluster(2);
    cluster.Become(0, v1::READY);
    cluster.Fail(0, rule);
    EXPECT_EQ(cluster.State(0), v1::READY) << rule;
  }
}

TEST(RulesTest, WhoDoesNotAnswerIsOutWhereConnectItselfIsAsked) {
  AskedConnect cluster(2);
  cluster.Fail(0, "service-is-healthy");
  EXPECT_EQ(cluster.State(0), v1::SERVING);  // it answers, and is not enabled, say
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Fail(0, kCloses);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(true);
  PassesAgain(cluster, 0, "service-is-healthy");
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Wait(seconds(60));
  EXPECT_EQ(cluster.State(0), v1::SERVING);  // users are sent there by now
}

// Its text tells for how long it has been so.
TEST(RulesTest, WhatIsSaidAnewEachMomentIsAboutTheSame) {
  PlanCluster cluster(1);
  cluster.Fail(0, kCloses);
  cluster.Rule(0, kCloses).set_text("apart for 45s");
  const v1::Decision first = cluster.Decide();
  cluster.Rule(0, kCloses).set_text("apart for 46s");
  const v1::Decision second = cluster.Decide();
  ASSERT_EQ(first.said_size(), 1);
  ASSERT_EQ(second.said_size(), 1);
  EXPECT_NE(first.said(0).text(), second.said(0).text());
  EXPECT_NE(first.said(0).about(), "");
  EXPECT_EQ(first.said(0).about(), second.said(0).about());
}

}  // namespace
}  // namespace connect_ha
