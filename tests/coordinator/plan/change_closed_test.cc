// A Connect that was started serves nobody before it was looked at.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;

constexpr char kHolds[] = "runtimes-match-r";

// node-1 was started, and something is not known of it; node-2 serves.
PlanCluster Closed() {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  EXPECT_EQ(StatesOf(cluster.Step()), "closed, serving");
  cluster.Rule(0, kHolds).set_outcome(v1::UNKNOWN);
  return cluster;
}

TEST(ChangeClosed, CountsForNothing) {
  PlanCluster cluster = Closed();
  cluster.Say(v1::Word::DRAIN, "node-2");
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "closed, serving");
  EXPECT_TRUE(StrContains(decision.assignments(1).reason(), "so few others serve: 0"));
  cluster.Rule(0, kHolds).set_outcome(v1::PASS);
  cluster.Step();
  EXPECT_EQ(StatesOf(cluster.Step()), "serving, draining");
}

TEST(ChangeClosed, CountsForNothingWhomeverTheLoadBalancerAsks) {
  PlanCluster cluster = Closed();
  cluster.input.mutable_spec()->mutable_load_balancer()->set_health_check(
      v1::LoadBalancerSpec::CONNECT);
  cluster.Say(v1::Word::DRAIN, "node-2");
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "closed, serving");
  bool said = false;
  for (const v1::Said& one : decision.said()) said |= StrContains(one.text(), "users may reach it");
  EXPECT_TRUE(said) << TextsOf(decision);
}

TEST(ChangeClosed, IsNoRestOfARule) {
  PlanCluster cluster = Closed();
  cluster.Fail(0, kHolds);
  cluster.Fail(0, "clocks-are-synchronised");
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(5))), "closed, serving");  // it is closed already
  cluster.Fail(0, "data-dir-is-shared");
  EXPECT_EQ(cluster.State(0), v1::FENCED);
}

TEST(ChangeClosed, IsSaidWhereItLasts) {
  PlanCluster cluster = Closed();
  EXPECT_EQ(GoOn(cluster, minutes(5)).said_size(), 0);
  const v1::Decision decision = GoOn(cluster, minutes(6));
  ASSERT_EQ(decision.said_size(), 1);
  EXPECT_TRUE(StrContains(decision.said(0).text(), "its gate stays closed: runtimes-match-r"));
  EXPECT_TRUE(StrContains(decision.said(0).fix(), "connect-ha waive"));
  v1::Word& word = cluster.Say(v1::Word::WAIVE, "node-1");
  word.set_rule(kHolds);
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 3600);
  EXPECT_EQ(StatesOf(cluster.Step()), "serving, serving");
}

TEST(ChangeClosed, IsStoppedWhereItDoesNotStartThoughNobodyServes) {
  PlanCluster cluster(1);
  cluster.Become(0, v1::READY);
  ASSERT_EQ(StatesOf(cluster.Step()), "closed");
  FailToStart(cluster, 0, "connect: bad licence");
  EXPECT_EQ(StatesOf(cluster.Step()), "stopped");
}

TEST(ChangeClosed, StaysSoOverACoordinatorsDeath) {
  PlanCluster cluster = Closed();
  cluster.Restart();
  const v1::Decision decision = cluster.Step();
  EXPECT_TRUE(decision.assignments(0).closed());
  EXPECT_EQ(decision.assignments(0).order().epoch(), kEpoch);
  cluster.Stale(0);
  EXPECT_TRUE(cluster.Step().assignments(0).closed());
}

// What it was told is not in the store: why its gate is closed is not known.
TEST(ChangeClosed, IsLookedAtBeforeItOpensAfterAnOlderStore) {
  PlanCluster cluster = Closed();
  cluster.input.mutable_memory()->clear_nodes();
  cluster.input.mutable_memory()->clear_made_at();
  EXPECT_TRUE(cluster.Decide().assignments(0).closed());
  EXPECT_FALSE(cluster.Decide().assignments(1).closed());
}

TEST(ChangeClosed, AConnectThatRanOnIsLetBackOpen) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Step();
  cluster.TakeBack(v1::Word::DRAIN);
  EXPECT_EQ(StatesOf(cluster.Step()), "serving, serving");
  cluster.Brownfield(0);
  EXPECT_EQ(StatesOf(cluster.Step()), "serving, serving");  // nor is one that is adopted
}

// A reboot: it is to serve, and starts by itself.
TEST(ChangeClosed, AConnectThatIsStartedAgainIsNotClosed) {
  PlanCluster cluster(2);
  cluster.node(0).set_connect(v1::CONNECT_RESTS);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.assignments(0).order().serial(), 1u);
}

// Its users are elsewhere: what is to be changed on it needs no turn of theirs.
TEST(ChangeClosed, IsChangedWithoutADrain) {
  PlanCluster cluster = Closed();
  cluster.makes_changes = true;
  ProposeNext(cluster, kNext, kConfigFile, v1::Change::RESTART);
  const v1::Decision decision = GoUntil(cluster, 0, v1::PREPARING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_LT(cluster.input.now().seconds() - decision.rollout().since().seconds(), 60);
}

}  // namespace
}  // namespace connect_ha
