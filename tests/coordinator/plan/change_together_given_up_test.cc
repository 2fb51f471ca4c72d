// Changes for which all nodes stop: given up, paused, or with a newer one that waits.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using std::chrono::seconds;
using Status = v1::RolloutStatus;

TEST(ChangeTogether, GoesBackWhileItStops) {
  const auto goes_back = [](const char* what, auto say, Status::Phase phase) {
    PlanCluster cluster = Approved(3);
    cluster.node(2).set_jobs(1);
    GoTo(cluster, Status::STOPPING);
    ASSERT_EQ(StatesOf(GoOn(cluster, seconds(20))), "stopped, stopped, draining") << what;
    say(cluster);
    v1::Decision decision = cluster.Step();
    EXPECT_FALSE(decision.remember().has_rollout()) << what;
    decision = GoOn(cluster, minutes(1));
    EXPECT_EQ(StatesOf(decision), "serving, serving, serving") << what;
    EXPECT_EQ(decision.rollout().phase(), phase) << what;
    EXPECT_EQ(decision.remember().generation(), kGeneration) << what;
    EXPECT_EQ(cluster.node(0).running_version(), kOldVersion) << what;
  };
  goes_back(
      "aborted", [](PlanCluster& c) { AbortIt(c); }, Status::ABORTED);
  goes_back(
      "paused", [](PlanCluster& c) { c.Say(v1::Word::PAUSE, ""); }, Status::AWAITING);
  goes_back(
      "taken back", [](PlanCluster& c) { c.TakeBack(v1::Word::APPROVE); }, Status::AWAITING);
  goes_back(
      "newer", [](PlanCluster& c) { ProposeVersionNext(c, kNext + 1, "2024.12.0"); },
      Status::AWAITING);
}

TEST(ChangeTogether, GoesBackWhereTheWindowEndsBeforeAllHaveStopped) {
  PlanCluster cluster = ToBeUpgraded(2);
  cluster.node(0).set_jobs(5);
  cluster.input.mutable_spec()->mutable_rollout()->mutable_drain_timeout()->set_seconds(3600);
  SetWindow(cluster, 0, 20);
  GoTo(cluster, Status::STOPPING);
  v1::Decision decision = GoOn(cluster, minutes(15));
  EXPECT_EQ(StatesOf(decision), "draining, stopped");
  decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_EQ(decision.remember().generation(), kGeneration);
}

TEST(ChangeTogether, TellsHistoryWhatWasGivenUpForGood) {
  PlanCluster cluster = Approved(2);
  GoTo(cluster, Status::STOPPING);
  AbortIt(cluster);
  const v1::Decision decision = cluster.Step();
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::ABORTED);
  EXPECT_FALSE(decision.ended(0).has_in_force_at());
}

// In which nodes were out all the same, and are until they are back.
TEST(ChangeTogether, TellsHistoryWhatWentBack) {
  PlanCluster cluster = ToBeUpgraded(2);
  cluster.node(0).set_jobs(5);
  for (const int i : {0, 1}) cluster.node(i).set_refused(100);
  cluster.input.mutable_spec()->mutable_rollout()->mutable_drain_timeout()->set_seconds(3600);
  SetWindow(cluster, 0, 20);
  GoTo(cluster, Status::STOPPING);
  GoOn(cluster, minutes(15));
  v1::Decision decision;
  for (int i = 0; i < 100 && decision.ended_size() == 0; ++i) {
    cluster.Wait(seconds(10));
    decision = cluster.Step();
  }
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).end(), v1::Rollout::WENT_BACK);
  EXPECT_TRUE(StrContains(decision.ended(0).remarks(), "is over"));
  EXPECT_FALSE(decision.remember().has_rollout());
  const v1::Rollout told = decision.ended(0);
  EXPECT_GE(told.nodes(1).out_us(), int64_t{15} * 60 * 1'000'000);
  // They are back a while later, and the same one is told of once more.
  for (const int i : {0, 1}) cluster.node(i).set_refused(130);
  cluster.Wait(seconds(60));
  decision = cluster.Step();
  for (int i = 0; i < 100 && decision.ended_size() == 0; ++i) {
    cluster.Wait(seconds(10));
    decision = cluster.Step();
  }
  ASSERT_EQ(decision.ended_size(), 1);
  EXPECT_EQ(decision.ended(0).began_at().seconds(), told.began_at().seconds());
  EXPECT_EQ(decision.ended(0).ended_at().seconds(), told.ended_at().seconds());
  EXPECT_GE(decision.ended(0).nodes(1).out_us(), told.nodes(1).out_us() + int64_t{60'000'000});
  EXPECT_EQ(decision.ended(0).nodes(1).refused(), 30u);
  EXPECT_FALSE(decision.ended(0).nodes(1).has_out_since());
  // That is all; and it is said of the next time.
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.ended_size(), 0);
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_EQ(decision.rollout().begun().end(), v1::Rollout::WENT_BACK);
  ApproveIt(cluster).set_now(true);
  decision = GoTo(cluster, Status::STOPPING);
  EXPECT_FALSE(decision.remember().has_given_up());
}

TEST(ChangeTogether, IsAbortedWithAllStoppedOnceTheFirstHasAnsweredOrEnded) {
  const auto is_stopped = [](const char* what, auto happens) {
    PlanCluster cluster = FirstMigrates(2);
    AbortIt(cluster);
    v1::Decision decision = GoOn(cluster, minutes(20));
    EXPECT_EQ(StatesOf(decision), "closed, stopped") << what;  // no migration is cut off
    EXPECT_EQ(decision.rollout().phase(), Status::ABORTED) << what;
    EXPECT_EQ(decision.rollout().standing(), Status::HALTED) << what;
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-1 may be migrating")) << what;
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout resume 8")) << what;
    EXPECT_TRUE(
        StrContains(FixesOf(decision), "connect-ha node stop node-1 --now --allow-downtime"))
        << what;
    happens(cluster);
    decision = GoOn(cluster, minutes(1));
    EXPECT_EQ(StatesOf(decision), "stopped, stopped") << what;
    EXPECT_EQ(decision.rollout().phase(), Status::ABORTED) << what;
    EXPECT_EQ(decision.rollout().standing(), Status::HALTED) << what;
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout resume 8")) << what;
    EXPECT_TRUE(StrContains(FixesOf(decision), "first put the database back")) << what;
  };
  is_stopped("answers", [](PlanCluster& cluster) { Answer(cluster, 0); });
  is_stopped("ends",
             [](PlanCluster& cluster) { FailToStart(cluster, 0, "migration 214: it exists"); });
  is_stopped("a person's word", [](PlanCluster& cluster) {
    v1::Word& word = cluster.Say(v1::Word::STOP, "node-1");
    word.set_now(true);
    word.set_downtime(true);
  });
}

// The order to start is on its way, or taken, and nothing is heard of that yet.
TEST(ChangeTogether, IsNotAbortedBetweenTheOrderToStartAndItsAnswer) {
  PlanCluster cluster = Approved(2);
  GoTo(cluster, Status::FIRST);
  GoUntil(cluster, 0, v1::READY);
  cluster.Step();  // the version is remembered
  ASSERT_EQ(StatesOf(cluster.Store()), "closed, stopped");
  AbortIt(cluster);
  const v1::Decision decision = cluster.Store();
  EXPECT_EQ(StatesOf(decision), "closed, stopped");
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-1 may be migrating"));
  cluster.Step();  // it starts, and answers
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "stopped, stopped");
}

TEST(ChangeTogether, GoesOnWhereAnAbortIsTakenBack) {
  PlanCluster cluster = FirstMigrates(2);
  AbortIt(cluster);
  Answer(cluster, 0);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "stopped, stopped");
  cluster.TakeBack(v1::Word::ABORT);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeTogether, IsAbortedWithWhatIsRightServing) {
  PlanCluster cluster = FirstStarts(3);
  cluster.Step();  // it is right
  AbortIt(cluster);
  const v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "serving, stopped, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::ABORTED);
}

// It would only be told to get ready for what does not go on, and then to rest.
TEST(ChangeTogether, HoldsWhoJoinsOnceItWasAborted) {
  PlanCluster cluster = FirstStarts(3);
  cluster.Step();
  AbortIt(cluster);
  GoOn(cluster, minutes(1));
  cluster.Bare(2);
  EXPECT_EQ(cluster.State(2), v1::STOPPED);
}

TEST(ChangeTogether, IsPausedBeforeTheFirstStartsAndNotAfter) {
  PlanCluster cluster = Approved(2);
  GoTo(cluster, Status::FIRST);
  cluster.Say(v1::Word::PAUSE, "");
  v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped");
  EXPECT_EQ(decision.rollout().standing(), Status::PAUSED);
  EXPECT_EQ(decision.remember().database().newest_version(), kOldVersion);
  cluster.TakeBack(v1::Word::PAUSE);
  GoUntil(cluster, 0, v1::SERVING);
  cluster.Say(v1::Word::PAUSE, "");
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "serving, stopped");  // it may have migrated: it goes on
  cluster.TakeBack(v1::Word::PAUSE);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeTogether, ANewerOneWaitsForTheEnd) {
  PlanCluster cluster = FirstStarts(2);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().next().generation(), kNext + 1);
  EXPECT_TRUE(StrContains(decision.rollout().next().reason(), "generation 8 to be done"));
  EXPECT_EQ(decision.remember().generation(), kNext);
  decision = GoOn(cluster, minutes(2));
  EXPECT_EQ(decision.remember().generation(), kNext + 1);
  EXPECT_EQ(cluster.node(1).running_version(), kNewVersion);
}

// However long it takes: no time makes a migration a place to leave it at.
TEST(ChangeTogether, ANewerOneWaitsForAMigration) {
  for (const v1::Change::Needs needs : {v1::Change::RESTART, v1::Change::RELOAD}) {
    PlanCluster cluster = FirstMigrates(3);
    ProposeNext(cluster, kNext + 1, kConfigFile, needs);
    v1::Decision decision = GoOn(cluster, minutes(25));
    EXPECT_EQ(StatesOf(decision), "closed, stopped, stopped");
    EXPECT_EQ(decision.remember().rollout().generation(), kNext);
    EXPECT_EQ(decision.remember().generation(), kNext);
    EXPECT_EQ(decision.rollout().generation(), kNext);
    EXPECT_EQ(decision.rollout().standing(), Status::GOES_ON);
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "may be migrating the database"));
    EXPECT_FALSE(StrContains(TextsOf(decision), "migrating the database since"));
    decision = GoOn(cluster, minutes(60));
    EXPECT_EQ(StatesOf(decision), "closed, stopped, stopped");
    EXPECT_EQ(decision.rollout().standing(), Status::GOES_ON);
    EXPECT_TRUE(StrContains(TextsOf(decision), "migrating the database since"));
    Answer(cluster, 0);
    decision = GoOn(cluster, minutes(5));
    EXPECT_EQ(decision.remember().generation(), kNext + 1);
    EXPECT_EQ(cluster.node(1).running_version(), kNewVersion);
  }
}

TEST(ChangeTogether, ANewerOneWaitsForAMigrationThoughThatWasAborted) {
  PlanCluster cluster = FirstMigrates(3);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  AbortIt(cluster);
  v1::Decision decision = GoOn(cluster, minutes(12));
  EXPECT_EQ(StatesOf(decision), "closed, stopped, stopped");
  EXPECT_EQ(decision.remember().generation(), kNext);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node stop node-1 --now"));
  Answer(cluster, 0);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped, stopped");
  EXPECT_EQ(decision.remember().generation(), kNext);
  EXPECT_TRUE(StrContains(decision.DebugString(), "connect-ha approve 9"));
}

// What was told to start and is lost may run.
TEST(ChangeTogether, ANewerOneWaitsForAFirstThatIsLost) {
  PlanCluster cluster = FirstMigrates(2);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  AbortIt(cluster);
  cluster.Lose(0);
  const v1::Decision decision = GoOn(cluster, minutes(12));
  EXPECT_EQ(StatesOf(decision), "closed, stopped");
  EXPECT_EQ(decision.remember().rollout().generation(), kNext);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node gone node-1"));
}

// A person takes connect-ha's hands off: neither a change that is under way nor a pause keeps that.
TEST(ChangeTogether, OneThatOnlyObservesWaitsForNothing) {
  for (const Status::Phase phase : {Status::STOPPING, Status::FIRST, Status::REST}) {
    for (const bool paused : {false, true}) {
      PlanCluster cluster = Approved(3);
      GoTo(cluster, phase);
      if (paused) cluster.Say(v1::Word::PAUSE, "");
      ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
      cluster.input.mutable_next()->mutable_spec()->set_enforcement(v1::OBSERVE);
      if (phase == Status::STOPPING) cluster.Step();  // what stops all is given up first
      v1::Decision decision = cluster.Step();
      EXPECT_EQ(decision.remember().generation(), kNext + 1) << Status::Phase_Name(phase);
      decision = cluster.Step();
      EXPECT_EQ(StatesOf(decision), "observed, observed, observed") << Status::Phase_Name(phase);
    }
  }
}

}  // namespace
}  // namespace connect_ha
