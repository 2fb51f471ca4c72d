// Whom rules take out, where it is a close call: the same fault on all nodes one after the other,
// fences that are made again, orders that got lost, what people and the specification may lower.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr char kCloses[] = "clocks-are-synchronised";
constexpr char kFences[] = "data-dir-is-shared";
constexpr char kHolds[] = "runtimes-match-r";

void FailsFromNowOn(PlanCluster& cluster, int i, const std::string& rule) {
  cluster.Fail(i, rule);
  *cluster.Rule(i, rule).mutable_since() = cluster.input.now();
}

void Passes(PlanCluster& cluster, int i, const std::string& rule) {
  v1::NodeRule& line = cluster.Rule(i, rule);
  line.set_outcome(v1::PASS);
  *line.mutable_since() = cluster.input.now();
}

TEST(FencesTest, WhatBefallsAllNodesOneAfterTheOtherTakesNobodyOut) {
  for (const char* rule : {kFences, kCloses, kHolds}) {
    for (const int nodes : {2, 3, 5}) {
      PlanCluster cluster(nodes);
      cluster.input.mutable_spec()->mutable_nodes()->set_fences_per_hour(10);
      for (int i = 0; i < nodes; ++i) {
        FailsFromNowOn(cluster, i, rule);
        cluster.Step();
        cluster.Wait(seconds(1));
      }
      for (int i = 0; i < 12; ++i) {
        const v1::Decision decision = cluster.Step();
        for (const v1::NodeAssignment& one : decision.assignments()) {
          ASSERT_EQ(one.state(), v1::SERVING) << rule << " " << nodes;
        }
        cluster.Wait(seconds(10));
      }
    }
  }
}

TEST(FencesTest, WhatGoesAwayOnAllNodesOneAfterTheOtherTakesNobodyOut) {
  for (const char* rule : {kFences, kCloses, kHolds}) {
    PlanCluster cluster(2);
    cluster.Fail(0, rule);
    cluster.Fail(1, rule);
    cluster.Settle();
    Passes(cluster, 1, rule);
    ASSERT_EQ(cluster.Step().assignments(0).state(), v1::SERVING) << rule;
    cluster.Wait(seconds(9));
    ASSERT_EQ(cluster.Step().assignments(0).state(), v1::SERVING) << rule;
    PlanCluster mended = cluster;
    Passes(mended, 0, rule);
    mended.Wait(seconds(60));
    EXPECT_EQ(mended.Step().assignments(0).state(), v1::SERVING) << rule;
    cluster.Wait(seconds(60));
    EXPECT_NE(cluster.Step().assignments(0).state(), v1::SERVING) << rule;
  }
}

// What all have does not keep in service whoever has another fault besides.
TEST(FencesTest, AFaultThatAllHaveHidesNoOther) {
  PlanCluster cluster(3);
  for (const int i : {0, 1, 2}) cluster.Fail(i, kFences);
  for (const int i : {0, 1, 2}) cluster.Rule(i, "database-is-same");
  cluster.Fail(0, "database-is-same", v1::PEERS);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::FENCED);
  EXPECT_THAT(decision.remember().nodes(0).out_for(), ElementsAre("database-is-same"));
  EXPECT_TRUE(absl::StartsWith(decision.assignments(0).reason(), "database-is-same"));
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(2).state(), v1::SERVING);
}

// It leaves for what closes it, and Connect goes on there.
TEST(FencesTest, ThatANodeIsClosedAndNotFencedIsSaid) {
  PlanCluster cluster(3);
  cluster.Fail(1, kFences);
  ASSERT_EQ(cluster.Step().assignments(1).state(), v1::FENCED);
  cluster.Fail(0, kFences);
  cluster.Fail(0, kCloses);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::DRAINING);
  EXPECT_TRUE(absl::StrContains(TextsOf(decision), "said: data-dir-is-shared"))
      << TextsOf(decision);
}

TEST(FencesTest, TwoVersionsAreNotWaitedFor) {
  PlanCluster cluster(2);
  cluster.node(0).set_running_version("2024.09.0");
  FailsFromNowOn(cluster, 0, "connect-version-matches");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// The database was exchanged: each node sees that when it asks next, and the first seems to be
// wrong.
TEST(FencesTest, WhoeverAsksFirstIsNotTheWrongOne) {
  PlanCluster cluster(3);
  for (const int i : {0, 1, 2}) cluster.Rule(i, "database-is-same");
  cluster.Fail(0, "database-is-same", v1::PEERS);
  *cluster.Rule(0, "database-is-same").mutable_since() = cluster.input.now();
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(seconds(30));
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(seconds(15));
  EXPECT_EQ(cluster.State(0), v1::FENCED);  // nobody else has seen it
}

// Its order to serve is on its way: until then nobody but a person takes its Connect away.
TEST(FencesTest, WhatIsStillObservedIsNotFenced) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::OBSERVED);
  const v1::Decision decision = cluster.Decide();
  ASSERT_EQ(decision.assignments(0).state(), v1::SERVING);
  *cluster.input.mutable_memory() = decision.remember();
  cluster.Fail(0, kFences);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  *cluster.node(0).mutable_obeys() = cluster.memory(0).order();
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

TEST(FencesTest, OneNodeThatIsWrongIsFencedAfterThat) {
  PlanCluster cluster(2);
  FailsFromNowOn(cluster, 0, kFences);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.wake_at().seconds(), cluster.input.now().seconds() + 10);
  cluster.Wait(seconds(10));
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// It is no other node that falls out.
TEST(FencesTest, WhoeverIsWrongAgainIsFencedAgain) {
  PlanCluster cluster(3);
  cluster.Fail(0, kFences);
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::FENCED);
  Passes(cluster, 0, kFences);
  cluster.Wait(seconds(30));
  ASSERT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  cluster.Fail(0, kFences);
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::FENCED);
  EXPECT_EQ(decision.remember().fences_size(), 1);  // of each node the latest
  cluster.Fail(1, kFences);
  EXPECT_EQ(cluster.State(1), v1::SERVING);  // that would be a second one
}

TEST(FencesTest, AFenceThatWasNeverTakenIsMadeAgain) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  ASSERT_EQ(cluster.memory(0).state(), v1::FENCED);
  cluster.Restart();
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

// It was let go by an order that it never took, and is wrong again.
TEST(FencesTest, ANodeThatIsStillFencedIsNotFencedOnceMore) {
  PlanCluster cluster(3);
  cluster.Fail(0, kFences);
  cluster.Settle();
  Passes(cluster, 0, kFences);
  cluster.Wait(seconds(30));
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  ASSERT_EQ(cluster.memory(0).state(), v1::READY);
  cluster.Restart();
  v1::FenceMade& other = *cluster.input.mutable_memory()->add_fences();
  other.set_node("node-3");
  *other.mutable_at() = cluster.input.now();
  cluster.Fail(0, kFences);
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

TEST(FencesTest, EnforcementToAndFroBringsNoFencedNodeBack) {
  PlanCluster cluster(2);
  cluster.Fail(0, kFences);
  cluster.Settle();
  cluster.input.mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::OBSERVED);
  cluster.input.mutable_spec()->set_enforcement(v1::ENFORCE);
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_EQ(decision.assignments(0).waits_for(), "data-dir-is-shared: it is wrong");
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
}

TEST(FencesTest, WhatTheSpecificationRaisesToAFenceIsWaivedByAdminsAlone) {
  PlanCluster cluster(2);
  (*cluster.input.mutable_spec()->mutable_rules())[kCloses].set_action(v1::FENCE);
  cluster.Fail(0, kCloses);
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "node-1");
  word.set_rule(kCloses);
  word.set_role(v1::OPERATOR);
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 3600);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::FENCED);
  ASSERT_EQ(decision.said_size(), 1);
  EXPECT_TRUE(absl::StrContains(decision.said(0).text(), "that counts for nothing"));
  EXPECT_TRUE(
      absl::StrContains(decision.said(0).fix(), "connect-ha waive " + std::string(kCloses)));
  word.set_role(v1::ADMIN);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(FencesTest, WhatOnlyAdvisesActsWhereTheSpecificationSaysSo) {
  PlanCluster cluster(2);
  cluster.Rule(1, "disk-has-room").set_rule_class(v1::ADVICE);
  cluster.Fail(0, "disk-has-room");
  cluster.Rule(0, "disk-has-room").set_rule_class(v1::ADVICE);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  (*cluster.input.mutable_spec()->mutable_rules())["disk-has-room"].set_action(v1::HOLD);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

// It may fence whom it likes least; it does not have to be believed of the others.
TEST(FencesTest, ANodeThatLiesHarmsItselfAlone) {
  PlanCluster cluster(3);
  for (const char* rule : {kFences, kCloses, kHolds}) cluster.Fail(0, rule);
  cluster.node(0).set_start_failed("no");
  cluster.node(0).add_notices()->set_kind(v1::InstanceNotice::TERMINATING);
  cluster.node(0).set_installed_version("9999.0.0");
  cluster.node(0).set_running_version("9999.0.0");
  const v1::Decision decision = cluster.Settle();
  EXPECT_NE(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(2).state(), v1::SERVING);
}

TEST(FencesTest, AFactThatFlapsTakesNobodyOut) {
  PlanCluster cluster(2);
  for (int i = 0; i < 60; ++i) {
    if (i % 2 == 0) {
      FailsFromNowOn(cluster, 0, kFences);
    } else {
      Passes(cluster, 0, kFences);
    }
    ASSERT_EQ(cluster.Step().assignments(0).state(), v1::SERVING) << i;
    cluster.Wait(seconds(5));
  }
}

}  // namespace
}  // namespace connect_ha
