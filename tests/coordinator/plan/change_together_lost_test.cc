// Changes for which all nodes stop: nodes that are lost, gone, back or new in the middle.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using std::chrono::seconds;
using Status = v1::RolloutStatus;

void ComeBack(PlanCluster& cluster, int i) {
  cluster.Wait(seconds(1));
  cluster.node(i).set_fresh(true);
  cluster.node(i).mutable_brief()->set_lost(false);
  *cluster.node(i).mutable_brief()->mutable_last_seen() = cluster.input.now();
}

TEST(ChangeTogether, IsHeldUpByANodeThatIsLostBeforeItStopped) {
  PlanCluster cluster = Approved(3);
  cluster.node(2).set_jobs(1);
  GoTo(cluster, Status::STOPPING);
  cluster.Step();
  cluster.Lose(2);
  v1::Decision decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(decision.rollout().phase(), Status::STOPPING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(FixesOf(decision), "--skip-lost node-3"));
  cluster.Say(v1::Word::GONE, "node-3");
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(StatesOf(decision), "serving, serving, draining");
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_TRUE(decision.ended(0).nodes(2).skipped());
  EXPECT_TRUE(StrContains(decision.ended(0).remarks(), "node-3 was declared gone"));
}

// It was enrolled while the others stop, and nobody knows what runs there.
TEST(ChangeTogether, IsHeldUpByANodeThatWasNeverHeard) {
  PlanCluster cluster = Approved(3);
  GoTo(cluster, Status::STOPPING);
  cluster.Bare(2);
  cluster.node(2).mutable_brief()->clear_last_seen();
  cluster.node(2).set_heard(false);
  cluster.node(2).set_fresh(false);
  const v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(decision.rollout().phase(), Status::STOPPING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-3: it was never heard"))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "--skip-lost node-3")) << FixesOf(decision);
  cluster.Say(v1::Word::GONE, "node-3");
  GoTo(cluster, Status::FIRST);
}

TEST(ChangeTogether, KeepsWhatWasGoneFromStartingTheOldOneWhenItIsBack) {
  PlanCluster cluster = Approved(3);
  cluster.Lose(2);
  v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "--skip-lost node-3"));
  cluster.Say(v1::Word::GONE, "node-3");
  GoTo(cluster, Status::FIRST);
  // It is back, and serves as nobody told it not to.
  ComeBack(cluster, 2);
  decision = cluster.Step();
  EXPECT_EQ(decision.assignments(2).state(), v1::STOPPED);  // no drain: two versions must not run
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
  EXPECT_EQ(cluster.node(2).running_version(), kNewVersion);
}

// Of the same version, but with the database, the key or the data directory of before.
TEST(ChangeTogether, StopsAtOnceWhatWasGoneAndServesAsAllOthersHaveLeft) {
  for (const Status::Phase phase : {Status::REST, Status::DONE}) {
    for (const bool paused : {false, true}) {
      PlanCluster cluster(3);
      cluster.makes_changes = true;
      for (int i = 0; i < 3; ++i) cluster.node(i).set_jobs(2);
      ProposeNext(cluster, kNext, kConfigFile, v1::Change::TOGETHER);
      ApproveIt(cluster);
      cluster.Lose(2);
      GoOn(cluster, minutes(1));
      cluster.Say(v1::Word::GONE, "node-3");
      GoTo(cluster, phase);
      if (paused) cluster.Say(v1::Word::PAUSE, "");
      ComeBack(cluster, 2);
      const v1::Decision decision = cluster.Step();
      EXPECT_EQ(decision.assignments(2).state(), v1::STOPPED) << TextsOf(decision);
      EXPECT_TRUE(StrContains(decision.assignments(2).reason(), "have left together for 8"))
          << decision.assignments(2).reason();
    }
  }
}

// Its agent is told of the generation before its Connect is stopped, and says so.
TEST(ChangeTogether, StopsAtOnceWhatWasGoneThoughItsAgentHasHeardOfIt) {
  PlanCluster cluster(3);
  cluster.makes_changes = true;
  for (int i = 0; i < 3; ++i) cluster.node(i).set_jobs(2);
  ProposeNext(cluster, kNext, kConfigFile, v1::Change::TOGETHER);
  ApproveIt(cluster);
  cluster.Lose(2);
  GoOn(cluster, minutes(1));
  cluster.Say(v1::Word::GONE, "node-3");
  GoTo(cluster, Status::DONE);
  ComeBack(cluster, 2);
  cluster.node(2).mutable_brief()->set_reported_generation(kNext);
  v1::Convergence& convergence = *cluster.node(2).mutable_convergence();
  convergence.set_generation(kNext);
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.set_needs(v1::Change::TOGETHER);
  v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(2).state(), v1::STOPPED) << TextsOf(decision);
  EXPECT_TRUE(StrContains(decision.assignments(2).reason(), "have left together for 8"))
      << decision.assignments(2).reason();
  // What takes no stop of all is its turn's.
  convergence.set_needs(v1::Change::RESTART);
  decision = cluster.Decide();
  EXPECT_NE(decision.assignments(2).state(), v1::STOPPED) << TextsOf(decision);
}

TEST(ChangeTogether, AnotherGoesFirstWhereTheFirstIsGoneOrHeld) {
  PlanCluster gone = Approved(3);
  GoTo(gone, Status::FIRST);
  gone.Lose(0);
  v1::Decision decision = GoOn(gone, minutes(5));
  EXPECT_EQ(decision.rollout().phase(), Status::FIRST);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);  // it may run
  EXPECT_EQ(StatesOf(decision), "stopped, stopped, stopped");
  gone.Say(v1::Word::GONE, "node-1");
  decision = GoTo(gone, Status::DONE);
  EXPECT_EQ(decision.ended(0).first(), "node-2");
  EXPECT_EQ(gone.node(2).running_version(), kNewVersion);

  PlanCluster held = Approved(2);
  GoTo(held, Status::FIRST);
  held.Say(v1::Word::STOP, "node-1").set_now(true);
  decision = GoTo(held, Status::DONE);
  EXPECT_EQ(decision.ended(0).first(), "node-2");
  EXPECT_EQ(StatesOf(decision), "stopped, serving");
}

TEST(ChangeTogether, IsNotHeldUpByANodeThatIsLostOnceItWasStopped) {
  PlanCluster cluster = Approved(3);
  GoTo(cluster, Status::FIRST);
  cluster.Lose(2);
  const v1::Decision decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(StatesOf(decision), "serving, serving, stopped");
  cluster.node(2).set_fresh(true);
  cluster.node(2).mutable_brief()->set_lost(false);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(2))), "serving, serving, serving");
  EXPECT_EQ(cluster.node(2).running_version(), kNewVersion);
}

TEST(ChangeTogether, HoldsANodeThatJoinsInTheMiddle) {
  PlanCluster cluster = Approved(3);
  cluster.node(1).set_jobs(1);
  cluster.Bare(2);
  GoTo(cluster, Status::STOPPING);
  v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "stopped, draining, stopped");
  decision = GoTo(cluster, Status::FIRST);
  EXPECT_EQ(decision.assignments(2).state(), v1::STOPPED);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

}  // namespace
}  // namespace connect_ha
