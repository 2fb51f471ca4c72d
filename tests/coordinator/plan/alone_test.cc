// The last node: what was granted while others served, and what is so once they are gone.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kCloses[] = "clocks-are-synchronised";
constexpr char kFences[] = "data-dir-is-shared";
constexpr char kHolds[] = "runtimes-match-r";

bool IsSaid(const v1::Decision& decision, const std::string& text) {
  for (const v1::Said& said : decision.said()) {
    if (absl::StrContains(said.text(), text)) return true;
  }
  return false;
}

// node-1 drains by a person's word, and has said that its gate is closed; node-2 served.
PlanCluster Draining() {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  return cluster;
}

TEST(AloneTest, ANodeThatDrainsServesAgainOnceTheOthersAreGone) {
  PlanCluster cluster = Draining();
  cluster.Lose(1);
  const v1::Decision back = cluster.Step();
  EXPECT_EQ(back.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(back.assignments(0).reason(), "drained by admin/alice: a test; no other node serves");
  EXPECT_TRUE(IsSaid(back, "it serves all the same"));
  cluster.Wait(minutes(30));
  const v1::Decision waits = cluster.Settle();
  EXPECT_EQ(waits.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(IsSaid(waits, "it stays, since so few others serve"));
  // The other one comes back: what the person said still holds.
  cluster.node(1).set_fresh(true);
  cluster.node(1).mutable_brief()->set_lost(false);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
}

TEST(AloneTest, WhoeverSaidThatThereMayBeDowntimeHasIt) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::STOP, "node-1").set_downtime(true);
  cluster.Step();
  cluster.Lose(1);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::STOPPED);
}

// The other one is perhaps no more: that is not known yet.
TEST(AloneTest, TheLastConnectIsNotStoppedWhileItIsNotKnownThatAnotherServes) {
  PlanCluster cluster = Draining();
  cluster.Stale(1);
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "| another node to serve")) << cluster.Reason(0);
  // Its facts count yet, and it has missed more than one heartbeat.
  cluster.node(1).set_fresh(true);
  google::protobuf::Timestamp& last_seen = *cluster.node(1).mutable_brief()->mutable_last_seen();
  last_seen.set_seconds(cluster.input.now().seconds() - 29);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  EXPECT_EQ(cluster.Decide().wake_at().seconds(), cluster.input.now().seconds() + 1);
  last_seen.set_seconds(cluster.input.now().seconds() - 5);
  EXPECT_EQ(cluster.State(0), v1::READY);
}

TEST(AloneTest, OfTwoThatDrainOneServesAgainOnceTheThirdIsGone) {
  PlanCluster cluster(3);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Wait(seconds(1));
  cluster.Say(v1::Word::DRAIN, "node-2");
  cluster.Step();
  cluster.Lose(2);
  cluster.Settle();
  cluster.Wait(minutes(5));
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);  // its word came first
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
}

// As it would have stayed, had it been the last one when that began.
TEST(AloneTest, WhatARuleClosedServesWhereNobodyElseDoes) {
  PlanCluster cluster(2);
  cluster.Fail(0, kCloses);
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Lose(1);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(AloneTest, WhatIsNotKnownOfANodeThatDrainedKeepsItFromServiceOnlyWhileOthersServe) {
  PlanCluster cluster = Draining();
  cluster.TakeBack(v1::Word::DRAIN);
  cluster.Rule(0, kHolds).set_outcome(v1::UNKNOWN);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  cluster.Lose(1);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(AloneTest, WhatMayCorruptDataIsWorseThanNobody) {
  const auto stays = [](const char* what, auto change) {
    PlanCluster cluster = Draining();
    cluster.Lose(1);
    change(cluster);
    EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING) << what;
  };
  stays("fails", [](PlanCluster& c) { c.Fail(0, kFences); });
  stays("undecided", [](PlanCluster& c) { c.Fail(0, kFences, v1::PROOF, /*undecided=*/true); });
  stays("unknown", [](PlanCluster& c) { c.Rule(0, kFences).set_outcome(v1::UNKNOWN); });
  stays("not mounted", [](PlanCluster& c) {
    c.node(0).mutable_brief()->mutable_facts()->set_mount_verified(false);
  });
  stays("silent",
        [](PlanCluster& c) { c.node(0).mutable_brief()->mutable_facts()->set_answers(false); });
  stays("cordoned", [](PlanCluster& c) { c.Say(v1::Word::CORDON, "node-1"); });
}

// That a boot would not mount the right file system, say.
TEST(AloneTest, WhatIsLessGraveThanItsRuleKeepsNobodyFromComingBack) {
  PlanCluster cluster = Draining();
  cluster.Lose(1);
  cluster.Fail(0, kFences);
  cluster.Rule(0, kFences).set_rule_class(v1::SERVICE);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

TEST(AloneTest, OneLateAnswerOfAnotherBringsNobodyBack) {
  PlanCluster cluster(2);
  cluster.Fail(0, kHolds);
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  v1::PlanNode& other = cluster.node(1);
  other.mutable_brief()->mutable_facts()->set_answers(false);
  other.set_gate(v1::GATE_CLOSED);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Fail(1, "service-is-healthy");  // for an hour
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

// It is the last one that is told to serve, and its own gate is closed.
TEST(AloneTest, AGateThatARuleClosesServesNobody) {
  PlanCluster cluster(2);
  cluster.Fail(0, kHolds);
  ASSERT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Fail(1, kCloses);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.node(1).set_gate(v1::GATE_CLOSED);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
  EXPECT_EQ(cluster.Step().assignments(1).state(),
            v1::DRAINING);  // the fault of which that one is free
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// EC2 recommended to replace both; then it took one.
TEST(AloneTest, ARecommendationKeepsNobodyFromServiceWhereNobodyElseServes) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) {
    cluster.node(i).add_notices()->set_kind(v1::InstanceNotice::REBALANCE);
  }
  v1::Decision decision = cluster.Settle();
  ASSERT_EQ(decision.assignments(0).state(), v1::DRAINING);
  ASSERT_EQ(decision.assignments(1).state(), v1::SERVING);
  cluster.Wait(minutes(5));
  decision = cluster.Settle();
  ASSERT_EQ(decision.assignments(0).state(), v1::READY);
  cluster.Lose(1);
  EXPECT_TRUE(cluster.Step().assignments(0).closed());
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);  // looked at, not drained again
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

// Until it goes it is better than none, also before its gate is open.
TEST(AloneTest, WhatIsStartedServesUntilItGoesWhereNobodyElseDoes) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.Become(1, v1::STOPPED);
  cluster.Say(v1::Word::STOP, "node-2");
  ASSERT_TRUE(cluster.Step().assignments(0).closed());
  cluster.node(0).add_notices()->set_kind(v1::InstanceNotice::TERMINATING);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << TextsOf(decision);
  decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << TextsOf(decision);
  EXPECT_FALSE(decision.assignments(0).closed());
  cluster.TakeBack(v1::Word::STOP);
  cluster.Become(1, v1::SERVING);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
}

// The recommendation is there long before, and says nothing of when.
TEST(AloneTest, AnInterruptionCountsBesideARecommendation) {
  PlanCluster cluster(2);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  cluster.node(0).add_notices()->set_kind(v1::InstanceNotice::REBALANCE);
  ASSERT_EQ(cluster.State(0), v1::SERVING);  // too few would be left
  v1::InstanceNotice& notice = *cluster.node(0).add_notices();
  notice.set_kind(v1::InstanceNotice::SPOT_INTERRUPTION);
  notice.mutable_at()->set_seconds(cluster.input.now().seconds() + 120);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  EXPECT_EQ(cluster.Settle().wake_at().seconds(), cluster.input.now().seconds() + 90);
  cluster.Wait(seconds(90));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
}

// Its Connect may come up again; stopped and masked it could not.
TEST(AloneTest, ADrainThatWaitsIsNotGrantedByAConnectThatDoesNotAnswer) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::STOPPED);
  cluster.Say(v1::Word::STOP, "node-2");
  cluster.Say(v1::Word::DRAIN, "node-1");
  ASSERT_EQ(cluster.State(0), v1::SERVING);
  v1::PlanNode& node = cluster.node(0);
  node.mutable_brief()->mutable_facts()->set_answers(false);
  node.set_gate(v1::GATE_CLOSED);
  cluster.Fail(0, "service-is-healthy");
  *cluster.Rule(0, "service-is-healthy").mutable_since() = cluster.input.now();
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(minutes(30));
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.input.mutable_words(1)->set_downtime(true);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(AloneTest, ADrainDoesNotEndInAStopWhereItsConnectWentDownLast) {
  PlanCluster cluster = Draining();
  v1::FactsBrief& facts = *cluster.node(0).mutable_brief()->mutable_facts();
  facts.set_answers(false);
  cluster.Fail(0, "service-is-healthy");
  cluster.Lose(1);
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::DRAINING);
  facts.set_answers(true);
  cluster.Rule(0, "service-is-healthy").set_outcome(v1::PASS);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(AloneTest, MoreThanThereAreCannotServeAndThatIsSaid) {
  PlanCluster cluster(2);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(5);
  cluster.Say(v1::Word::DRAIN, "node-1");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "so few others serve: 1, it takes 5"));
  EXPECT_NE(cluster.Decide().said(0).fix(), "");
  cluster.TakeBack(v1::Word::DRAIN);
  cluster.Fail(0, kHolds);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Fail(0, kFences);  // one that is known to be sound is enough
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

}  // namespace
}  // namespace connect_ha
