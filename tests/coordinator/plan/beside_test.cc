// Which Connect may start beside which: the first one alone, and never two versions.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;

// A first start makes the key and the tables.
TEST(BesideTest, TheFirstConnectStartsAlone) {
  PlanCluster cluster(3);
  for (const int i : {0, 1, 2}) cluster.Become(i, v1::READY);
  cluster.node(0).set_member(9);
  v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(2).state(), v1::READY);
  EXPECT_TRUE(absl::StartsWith(decision.assignments(2).waits_for(), "node-2 to answer"));
  // It has been told, and is at it.
  *cluster.input.mutable_memory() = decision.remember();
  EXPECT_EQ(cluster.State(0), v1::READY);
  decision = cluster.Step();
  EXPECT_EQ(decision.assignments(2).state(), v1::READY);
  decision = cluster.Step();  // it answers
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(2).state(), v1::SERVING);
}

TEST(BesideTest, TheOthersDoNotWaitForOneThatDoesNotStart) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::READY);
  *cluster.memory(0).mutable_since() = cluster.input.now();
  Rests(cluster, 0);
  EXPECT_EQ(cluster.State(1), v1::READY);
  cluster.Wait(minutes(10));
  EXPECT_EQ(cluster.State(1), v1::SERVING);
  cluster.Wait(minutes(-10));
  cluster.node(0).set_start_failed("connect: bad licence");
  EXPECT_EQ(cluster.State(1), v1::SERVING);
}

// It was told to start, and is heard no more: what it would run is what it had installed.
TEST(BesideTest, OneThatDiedWhileItStartedKeepsOutOnlyWhatHasAnotherVersion) {
  PlanCluster cluster(3);
  cluster.Become(0, v1::READY);
  Rests(cluster, 1);
  cluster.Lose(1);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  cluster.Become(0, v1::READY);
  cluster.node(1).set_installed_version("2024.06.0");
  EXPECT_EQ(cluster.State(0), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "2024.06.0 may run on node-2"))
      << cluster.Reason(0);
  cluster.node(1).clear_installed_version();
  EXPECT_EQ(cluster.State(0), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "connect-ha node gone node-2"));
}

// Its Connect rests, and it is to be prepared anew; a boot would start what it has by what it
// holds.
TEST(BesideTest, WhatMayStillStartAnotherVersionIsWaitedFor) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.node(1).set_installed_version("2024.06.0");
  Rests(cluster, 1);
  cluster.memory(1).set_state(v1::PREPARING);
  cluster.memory(1).mutable_order()->set_serial(2);
  cluster.input.mutable_memory()->set_serial(2);
  EXPECT_EQ(cluster.State(0), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "2024.06.0 may run on node-2"))
      << cluster.Reason(0);
  *cluster.node(1).mutable_obeys() = cluster.memory(1).order();
  EXPECT_EQ(cluster.State(0), v1::READY);  // its agent is not there yet
  cluster.node(1).mutable_brief()->set_reported_state(v1::PREPARING);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

// Two at once would both migrate it; however long that takes.
TEST(BesideTest, NobodyStartsBesideWhatMayMigrateTheDatabase) {
  constexpr char kNewer[] = "2024.11.0";
  PlanCluster cluster(2);
  v1::DatabaseMemory& database = *cluster.input.mutable_memory()->mutable_database();
  database.set_newest_version(kNewer);
  database.set_before_version("2024.08.0");
  cluster.input.mutable_memory()->set_not_before(kGeneration);  // approved since it is in force
  for (const int i : {0, 1}) cluster.node(i).set_installed_version(kNewer);
  cluster.Become(0, v1::SERVING);
  cluster.memory(0).set_closed(true);
  cluster.node(0).set_gate(v1::GATE_CLOSED);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  cluster.Become(1, v1::READY);
  cluster.Wait(minutes(30));
  EXPECT_EQ(cluster.State(1), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(1), "node-1 to answer")) << cluster.Reason(1);
  database.set_right_version(kNewer);
  EXPECT_EQ(cluster.State(1), v1::SERVING);
}

// Nobody knows what runs there: it may be another version.
TEST(BesideTest, AMemberThatWasNeverHeardMayRunConnect) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.Bare(1);
  cluster.node(1).mutable_brief()->clear_last_seen();
  cluster.node(1).set_heard(false);
  cluster.node(1).set_fresh(false);
  cluster.node(1).clear_installed_version();
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_TRUE(absl::StrContains(decision.assignments(0).waits_for(), "connect-ha node gone node-2"))
      << decision.assignments(0).waits_for();
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

// Somebody stopped it for a moment; its database has the schema of what ran.
TEST(BesideTest, AnObservedConnectThatRestsForAMomentHoldsBackAnotherVersion) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::READY);
  cluster.Become(0, v1::OBSERVED);
  Differs(cluster, 0);
  cluster.node(0).set_installed_version("2024.06.0");
  Rests(cluster, 0);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(1).state(), v1::READY);
  EXPECT_TRUE(absl::StrContains(decision.assignments(1).waits_for(), "2024.06.0 may run on node-1"))
      << decision.assignments(1).waits_for();
  EXPECT_EQ(decision.wake_at().seconds(), cluster.input.now().seconds() + 30);
  cluster.node(0).set_installed_version("2024.08.0");
  EXPECT_EQ(cluster.State(1), v1::SERVING);
}

// It booted, and was heard last while Connect was on its way down.
TEST(BesideTest, AnObservedNodeThatIsLostHoldsBackAnotherVersion) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::READY);
  cluster.Become(0, v1::OBSERVED);
  cluster.node(0).set_installed_version("2024.06.0");
  Rests(cluster, 0);
  cluster.Lose(0);
  cluster.Wait(minutes(10));
  EXPECT_EQ(cluster.State(1), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(1), "connect-ha node gone node-1"))
      << cluster.Reason(1);
  cluster.Say(v1::Word::GONE, "node-1");
  EXPECT_EQ(cluster.State(1), v1::SERVING);
}

// That it had come to rest was said to the coordinator before.
TEST(BesideTest, WhatWasNotHeardSinceTheCoordinatorsStartHasTakenNothing) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::READY);
  cluster.Become(0, v1::STOPPED);
  cluster.node(0).set_installed_version("2024.06.0");
  cluster.Lose(0);
  EXPECT_EQ(cluster.State(1), v1::SERVING);
  cluster.Restart();
  cluster.node(0).set_heard(false);
  cluster.node(0).clear_obeys();
  cluster.node(0).mutable_brief()->clear_reported_state();
  EXPECT_EQ(cluster.State(1), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(1), "connect-ha node gone node-1"))
      << cluster.Reason(1);
  cluster.Say(v1::Word::GONE, "node-1");
  EXPECT_EQ(cluster.State(1), v1::SERVING);
}

}  // namespace
}  // namespace connect_ha
