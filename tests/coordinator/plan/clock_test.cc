// The coordinator's clock is set back or forward, and stores are put back: nothing lasts longer by
// that, and nobody waits for what never comes.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kCloses[] = "clocks-are-synchronised";
constexpr char kFences[] = "data-dir-is-shared";

// node-1 goes by an order that the store does not have.
PlanCluster Restored() {
  PlanCluster cluster(2);
  cluster.input.mutable_memory()->set_serial(7);
  cluster.node(0).mutable_obeys()->set_serial(7);
  cluster.Restart();
  return cluster;
}

TEST(ClockTest, AnOlderStoreNamesWhoKnowsMore) {
  PlanCluster cluster = Restored();
  const v1::Decision decision = cluster.Step();
  ASSERT_TRUE(decision.remember().has_restored_at());
  ASSERT_EQ(decision.said_size(), 1);
  EXPECT_TRUE(absl::EndsWith(decision.said(0).text(), ": node-1")) << decision.said(0).text();
}

TEST(ClockTest, WhatIsAppliedToAnOlderStoreCountsWhateverTheClockSays) {
  PlanCluster cluster = Restored();
  cluster.Step();
  cluster.Say(v1::Word::STOP, "node-2").set_now(true);
  EXPECT_EQ(cluster.State(1), v1::SERVING);
  cluster.Wait(hours(-24));
  EXPECT_EQ(cluster.State(1), v1::SERVING);  // nothing was applied
  cluster.input.set_generation(kGeneration + 1);
  const v1::Decision decision = cluster.Step();
  EXPECT_FALSE(decision.remember().has_restored_at());
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);  // the other has only said that it does
  EXPECT_EQ(cluster.Settle().assignments(1).state(), v1::STOPPED);
}

TEST(ClockTest, AnOlderStoreIsNotForgottenByAClockThatRunsOn) {
  PlanCluster cluster = Restored();
  cluster.Step();
  cluster.Wait(hours(24));
  EXPECT_TRUE(cluster.Step().remember().has_restored_at());
}

// It may be back since that copy was made, and run.
TEST(ClockTest, AnOlderStoreTakesNobodyForGone) {
  PlanCluster cluster = Restored();
  cluster.Say(v1::Word::GONE, "node-2");
  cluster.Lose(1);
  const v1::Decision decision = cluster.Step();
  EXPECT_TRUE(decision.remember().has_restored_at());
  EXPECT_EQ(decision.ended_words_size(), 1);
  cluster.Say(v1::Word::GONE, "node-2");  // somebody has looked
  EXPECT_EQ(cluster.Step().ended_words_size(), 0);
}

TEST(ClockTest, ADrainLastsNoLongerThanItIsToFromWhenTheClockWasSetBack) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Step();
  cluster.Wait(hours(-3));
  cluster.Step();
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
}

TEST(ClockTest, WhatFailedBeforeTheClockWasSetBackHasFailedForLongEnough) {
  PlanCluster cluster(2);
  cluster.Fail(0, kCloses);
  *cluster.Rule(0, kCloses).mutable_since() = cluster.input.now();
  cluster.Wait(seconds(-30));  // no more than two threads may differ
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(hours(-2));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  v1::NodeRule& line = cluster.Rule(0, kCloses);
  line.set_outcome(v1::PASS);
  line.mutable_since()->set_seconds(cluster.input.now().seconds() + 600);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

// It runs another version, and is heard again, though the clock says that this was before.
TEST(ClockTest, AMachineThatIsGoneIsNotGoneWhileItSpeaks) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.node(1).set_running_version("2024.06.0");
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(cluster.State(0), v1::READY);  // its facts still count
  cluster.Lose(1);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(hours(-1));
  const v1::Decision decision = cluster.Decide();  // what was said is of a time to come
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_EQ(decision.ended_words_size(), 1);
  EXPECT_TRUE(
      absl::StrContains(decision.assignments(0).waits_for(), "connect-ha node gone node-2"));
}

// Before plans were remembered, say: its users have their time from now on.
TEST(ClockTest, ANodeThatIsFoundDrainingHasItsTime) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::DRAINING);
  cluster.input.clear_memory();
  cluster.Say(v1::Word::DRAIN, "node-1");
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
}

// Its order was lost, or its coordinator died with it.
TEST(ClockTest, ANodeThatHearsLateThatItIsToDrainHasItsTime) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  cluster.Wait(minutes(4));
  cluster.Stale(0);
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  cluster.node(0).set_fresh(true);
  *cluster.node(0).mutable_obeys() = cluster.memory(0).order();
  cluster.node(0).mutable_brief()->set_reported_state(v1::DRAINING);
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  cluster.Wait(minutes(4));
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
  cluster.Wait(minutes(1));
  EXPECT_EQ(cluster.State(0), v1::READY);
}

// Every decision would write the store, for as long as the node is away.
TEST(ClockTest, OfANodeThatDoesNotSayThatItDrainsNothingNewIsRemembered) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  *cluster.input.mutable_memory() = cluster.Decide().remember();
  ASSERT_EQ(cluster.memory(0).state(), v1::DRAINING);
  cluster.Lose(0);
  const v1::PlanMemory before = cluster.Decide().remember();
  *cluster.input.mutable_memory() = before;
  cluster.Wait(minutes(20));
  EXPECT_EQ(cluster.Decide().remember().ShortDebugString(), before.ShortDebugString());
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(ClockTest, FencesOfATimeToComeCount) {
  PlanCluster cluster(3);
  v1::FenceMade& made = *cluster.input.mutable_memory()->add_fences();
  made.set_node("node-3");
  made.mutable_at()->set_seconds(cluster.input.now().seconds() + 86400);
  cluster.Fail(0, kFences);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  cluster.Wait(hours(1));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::FENCED);  // not only after a day
}

}  // namespace
}  // namespace connect_ha
