// Changes for which all nodes stop: how they go, and how they go wrong.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using std::chrono::seconds;
using Status = v1::RolloutStatus;

PlanCluster Approved(int nodes) {
  PlanCluster cluster = ToBeUpgraded(nodes);
  ApproveIt(cluster);
  return cluster;
}

void AskForABackup(PlanCluster& cluster) {
  cluster.input.mutable_next()
      ->mutable_spec()
      ->mutable_database()
      ->mutable_backup_before_migration()
      ->set_command("dump");
}

// The first is told to start the newer one.
PlanCluster FirstStarts(int nodes) {
  PlanCluster cluster = Approved(nodes);
  GoTo(cluster, Status::FIRST);
  EXPECT_TRUE(GoUntil(cluster, 0, v1::SERVING).assignments(0).closed());
  return cluster;
}

// And does not answer yet.
PlanCluster FirstMigrates(int nodes) {
  PlanCluster cluster = FirstStarts(nodes);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  return cluster;
}

void Answer(PlanCluster& cluster, int i) {
  cluster.node(i).mutable_brief()->mutable_facts()->set_answers(true);
}

TEST(ChangeTogether, WaitsForApproval) {
  PlanCluster cluster = ToBeUpgraded(2);
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_EQ(decision.rollout().kind(), v1::Rollout::TOGETHER);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha approve 8"));
  EXPECT_EQ(decision.rollout().outlook().needs(), "connect-ha approve 8");
  EXPECT_TRUE(StrContains(decision.rollout().outlook().text(), "stops Connect on all nodes"));
  EXPECT_FALSE(decision.remember().has_rollout());
  EXPECT_EQ(StatesOf(decision), "serving, serving");
}

TEST(ChangeTogether, StopsAllThenChangesOneThenTheRest) {
  for (const int nodes : {2, 3}) {
    PlanCluster cluster = Approved(nodes);
    std::vector<Status::Phase> phases;
    v1::Decision decision;
    for (int i = 0; i < 100 && decision.rollout().phase() != Status::DONE; ++i) {
      decision = cluster.Step();
      const Status::Phase phase = decision.rollout().phase();
      if (phases.empty() || phases.back() != phase) phases.push_back(phase);
      // Never two versions, as told and as obeyed.
      std::string runs;
      for (int n = 0; n < nodes; ++n) {
        const std::string& version = cluster.node(n).running_version();
        if (version.empty()) continue;
        EXPECT_TRUE(runs.empty() || runs == version);
        runs = version;
      }
      if (phase == Status::FIRST) {
        EXPECT_NE(decision.assignments(1).state(), v1::SERVING);
      }
      cluster.Wait(seconds(1));
    }
    EXPECT_EQ(phases, (std::vector<Status::Phase>{Status::STOPPING, Status::FIRST, Status::REST,
                                                  Status::DONE}));
    const v1::Rollout& ended = decision.ended(0);
    EXPECT_EQ(ended.first(), "node-1");
    EXPECT_EQ(ended.approved_by(), "admin/alice");
    EXPECT_TRUE(ended.has_in_force_at() && ended.has_verified_at() && ended.has_opened_at());
    for (int n = 0; n < nodes; ++n) {
      EXPECT_EQ(decision.assignments(n).state(), v1::SERVING);
      EXPECT_EQ(cluster.node(n).running_version(), kNewVersion);
    }
    EXPECT_EQ(decision.remember().database().newest_version(), kNewVersion);
    EXPECT_EQ(decision.remember().database().before_version(), kOldVersion);
    EXPECT_EQ(cluster.input.words_size(), 0);
  }
}

// What is irreversible is on disk before it is done.
TEST(ChangeTogether, RemembersTheVersionBeforeItIsStarted) {
  PlanCluster cluster = Approved(2);
  GoTo(cluster, Status::FIRST);
  v1::Decision decision = GoUntil(cluster, 0, v1::READY);
  EXPECT_EQ(decision.remember().database().newest_version(), kOldVersion);
  decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_EQ(decision.remember().database().newest_version(), kNewVersion);
  EXPECT_TRUE(decision.has_wake_at());
  EXPECT_EQ(StatesOf(cluster.Step()), "closed, stopped");
}

// It failed over while users had their time: from here all may still go back.
TEST(ChangeTogether, AsksForTheDatabaseOnceMoreWhenAllHaveStopped) {
  PlanCluster cluster = Approved(2);
  cluster.node(0).set_jobs(2);
  GoTo(cluster, Status::STOPPING);
  GoOn(cluster, minutes(2));
  cluster.Fail(0, "database-is-writable");
  v1::Decision decision = GoOn(cluster, minutes(10));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::STOPPING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-1: database-is-writable"))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout abort"));
  EXPECT_FALSE(decision.remember().rollout().has_in_force_at());
  cluster.Rule(0, "database-is-writable").set_outcome(v1::PASS);
  GoTo(cluster, Status::FIRST);
}

// So that a node that is away sees on the file system what it has not heard of; not before that
// generation is in force, since until then all may go back.
TEST(ChangeTogether, LeavesEarlierGenerationsBehindOnceItIsInForce) {
  PlanCluster cluster = Approved(2);
  v1::Decision decision = GoTo(cluster, Status::STOPPING);
  EXPECT_EQ(decision.remember().not_before(), 0u);
  decision = GoUntil(cluster, 0, v1::PREPARING);
  EXPECT_EQ(decision.remember().not_before(), kNext);
  for (const v1::NodeAssignment& one : decision.assignments()) {
    EXPECT_EQ(one.not_before(), kNext);
  }
  GoTo(cluster, Status::DONE);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(cluster.input.generation(), kNext + 1);
  EXPECT_EQ(decision.remember().not_before(), kNext) << "from node to node nobody is left behind";
}

TEST(ChangeTogether, GivesUsersTheirTime) {
  PlanCluster cluster = Approved(2);
  cluster.node(1).set_jobs(2);
  GoTo(cluster, Status::STOPPING);
  v1::Decision decision = GoOn(cluster, minutes(4));
  EXPECT_EQ(StatesOf(decision), "stopped, draining");
  EXPECT_TRUE(StrContains(decision.assignments(1).waits_for(), "2 still run"));
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-2 to be stopped"));
  decision = GoOn(cluster, minutes(2));
  EXPECT_NE(decision.rollout().phase(), Status::STOPPING);
}

// minimum_serving of them open together, not one after the other.
TEST(ChangeTogether, OpensGatesTogether) {
  PlanCluster cluster = FirstStarts(3);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  cluster.Rule(1, "runtimes-match-r").set_outcome(v1::UNKNOWN);
  cluster.Rule(2, "runtimes-match-r").set_outcome(v1::UNKNOWN);
  v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(decision.rollout().phase(), Status::REST);
  EXPECT_EQ(StatesOf(decision), "closed, ready, ready");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "gates open together"));
  EXPECT_FALSE(decision.remember().rollout().has_opened_at());
  cluster.Rule(2, "runtimes-match-r").set_outcome(v1::PASS);
  decision = GoOn(cluster, seconds(60));
  EXPECT_EQ(StatesOf(decision), "serving, ready, serving");
  EXPECT_TRUE(decision.remember().rollout().has_opened_at());
  cluster.Rule(1, "runtimes-match-r").set_outcome(v1::PASS);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

// Nobody is out for one that does not come.
TEST(ChangeTogether, OpensWithoutWhatDoesNotComeUp) {
  PlanCluster cluster = FirstStarts(2);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  GoUntil(cluster, 1, v1::SERVING);
  FailToStart(cluster, 1, "connect: no such user");
  const v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::REST);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-2: Connect does not start"));
  cluster.node(1).clear_start_failed();
  cluster.Say(v1::Word::START, "node-2");
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeTogether, HaltsWithAllStoppedWhereTheFirstDoesNotStart) {
  PlanCluster cluster = FirstStarts(3);
  FailToStart(cluster, 0, "migration 214: relation exists");
  v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::FIRST);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "migration 214"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout restored --version 2024.08.0"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::FAILED);
  EXPECT_EQ(decision.rollout().nodes(1).step(), v1::RolloutStep::HELD);
  // On.
  cluster.node(0).clear_start_failed();
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

TEST(ChangeTogether, GoesBackOnceTheDatabaseWasPutBack) {
  PlanCluster cluster = FirstStarts(2);
  FailToStart(cluster, 0, "migration 214: relation exists");
  GoOn(cluster, minutes(5));
  cluster.node(0).clear_start_failed();  // its agent tells that of the last order alone
  ProposeVersionNext(cluster, kNext + 1, kOldVersion);
  v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_EQ(decision.rollout().next().phase(), Status::REFUSED);
  EXPECT_TRUE(StrContains(absl::StrJoin(decision.rollout().next().fixes(), "\n"),
                          "connect-ha rollout restored --version 2024.08.0"));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped");
  cluster.Say(v1::Word::RESTORED, "").set_version(kOldVersion);
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.rollout().generation(), kNext + 1);
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.remember().database().newest_version(), kOldVersion);
  EXPECT_EQ(cluster.node(0).running_version(), kOldVersion);
  EXPECT_EQ(cluster.input.words_size(), 0);
}

TEST(ChangeTogether, GoesBackAtOnceWhereTheDatabaseSaysThatNothingWasMigrated) {
  PlanCluster cluster = Approved(2);
  for (const int i : {0, 1}) cluster.node(i).set_migration("0213");
  GoTo(cluster, Status::FIRST);
  GoUntil(cluster, 0, v1::SERVING);
  FailToStart(cluster, 0, "connect: no licence");
  v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_FALSE(StrContains(FixesOf(decision), "rollout restored")) << FixesOf(decision);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha spec rollback 7"));
  cluster.node(0).clear_start_failed();
  ProposeVersionNext(cluster, kNext + 1, kOldVersion);
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(cluster.node(1).running_version(), kOldVersion);
}

// The commonest upgrade that fails: what it refuses is put right, and the version stays.
TEST(ChangeTogether, AsksAnewForWhatWasStartedAndNeverRight) {
  PlanCluster cluster = FirstStarts(3);
  FailToStart(cluster, 0, "connect: unknown key Servr.Address");
  v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.remember().database().newest_version(), kNewVersion);
  EXPECT_EQ(decision.remember().database().right_version(), kOldVersion);
  cluster.node(0).clear_start_failed();
  ProposeVersionNext(cluster, kNext + 1, kNewVersion);
  AskForABackup(cluster);
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.remember().generation(), kNext);
  EXPECT_EQ(StatesOf(decision), "stopped, stopped, stopped");
  EXPECT_TRUE(StrContains(decision.DebugString(), "connect-ha approve 9"));
  EXPECT_FALSE(decision.has_back_up());
  ApproveIt(cluster, kNext + 1);
  decision = cluster.Step();
  ASSERT_TRUE(decision.has_back_up());
  v1::BackupRun& run = *cluster.input.mutable_backup();
  run = decision.back_up();
  *run.mutable_ended_at() = cluster.input.now();
  run.set_went_well(true);
  GoTo(cluster, Status::FIRST);
  EXPECT_EQ(StatesOf(GoUntil(cluster, 0, v1::SERVING)), "closed, stopped, stopped");
  decision = GoTo(cluster, Status::REST);
  EXPECT_EQ(decision.remember().database().right_version(), kNewVersion);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

// What all were to stop for once more is given up: the one before is where it was.
TEST(ChangeTogether, StartsNothingThatWasNeverRightWhereTheNextIsGivenUp) {
  PlanCluster cluster = FirstStarts(2);
  FailToStart(cluster, 0, "connect: unknown key Servr.Address");
  GoOn(cluster, minutes(5));
  cluster.node(0).clear_start_failed();
  ProposeVersionNext(cluster, kNext + 1, kNewVersion);
  ApproveIt(cluster, kNext + 1);
  GoTo(cluster, Status::STOPPING);
  AbortIt(cluster, kNext + 1);
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(decision.remember().generation(), kNext);
  EXPECT_EQ(StatesOf(decision), "stopped, stopped");
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1"));
}

TEST(ChangeTogether, KeepsTheFirstClosedUntilItIsRight) {
  PlanCluster cluster = FirstStarts(2);
  cluster.Rule(0, "data-dir-is-shared").set_outcome(v1::UNKNOWN);
  cluster.Rule(0, "data-dir-is-shared").set_basis(v1::SELF);
  v1::Decision decision = GoOn(cluster, minutes(11));
  EXPECT_EQ(StatesOf(decision), "closed, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::FIRST);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha waive data-dir-is-shared --until"));
  cluster.Rule(0, "data-dir-is-shared").set_outcome(v1::PASS);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

// What takes another node to be shown cannot be, while all others rest.
TEST(ChangeTogether, AsksNothingOfPeersWhileTheyRest) {
  for (const v1::Basis basis : {v1::PROOF, v1::PEERS}) {
    PlanCluster cluster = Approved(2);
    GoTo(cluster, Status::FIRST);
    v1::NodeRule& line = cluster.Rule(0, "runtimes-match-r");
    line.set_outcome(v1::UNKNOWN);
    line.set_basis(basis);
    EXPECT_EQ(GoTo(cluster, Status::REST).assignments(0).state(), v1::SERVING);
  }
  // It follows from what the others have.
  PlanCluster cluster = Approved(2);
  GoTo(cluster, Status::FIRST);
  v1::NodeRule& line = cluster.Rule(0, "configuration-matches");
  line.set_outcome(v1::FOLLOWS);
  line.set_basis(v1::PEERS);
  EXPECT_EQ(GoTo(cluster, Status::REST).assignments(0).state(), v1::SERVING);
}

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
  cluster.Wait(seconds(1));
  cluster.node(2).set_fresh(true);
  cluster.node(2).mutable_brief()->set_lost(false);
  *cluster.node(2).mutable_brief()->mutable_last_seen() = cluster.input.now();
  decision = cluster.Step();
  EXPECT_EQ(decision.assignments(2).state(), v1::STOPPED);  // no drain: two versions must not run
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
  EXPECT_EQ(cluster.node(2).running_version(), kNewVersion);
}

void ComeBack(PlanCluster& cluster, int i) {
  cluster.Wait(seconds(1));
  cluster.node(i).set_fresh(true);
  cluster.node(i).mutable_brief()->set_lost(false);
  *cluster.node(i).mutable_brief()->mutable_last_seen() = cluster.input.now();
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

// What was changed by hand meanwhile is put right once it answers.
TEST(ChangeTogether, CutsOffNoMigrationForWhatHasDrifted) {
  PlanCluster cluster = FirstMigrates(1);
  cluster.Step();
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.set_needs(v1::Change::RESTART);
  v1::Change& change = *convergence.add_changes();
  change.set_resource(kConfigFile);
  change.set_needs(v1::Change::RESTART);
  EXPECT_EQ(StatesOf(cluster.Decide()), "closed");
  Answer(cluster, 0);
  EXPECT_EQ(StatesOf(cluster.Decide()), "preparing");
}

// After a long migration there is time to look at it.
TEST(ChangeTogether, IsLookedAtFromTheEndOfItsMigrationOn) {
  PlanCluster cluster = FirstMigrates(2);
  GoOn(cluster, minutes(25));
  Answer(cluster, 0);
  *cluster.Rule(0, "service-is-healthy").mutable_since() = cluster.input.now();
  cluster.Rule(0, "data-dir-is-shared").set_outcome(v1::UNKNOWN);
  cluster.Rule(0, "data-dir-is-shared").set_basis(v1::SELF);
  v1::Decision decision = GoOn(cluster, minutes(9));
  EXPECT_EQ(StatesOf(decision), "closed, stopped");
  EXPECT_EQ(decision.rollout().standing(), Status::GOES_ON);
  decision = GoOn(cluster, minutes(2));
  EXPECT_EQ(StatesOf(decision), "closed, stopped");
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
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

// Nobody leaves service for it before one may go first.
TEST(ChangeTogether, WaitsForOneThatMayGoFirst) {
  PlanCluster cluster = Approved(2);
  for (const char* node : {"node-1", "node-2"}) cluster.Say(v1::Word::CORDON, node);
  const v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "a node that may go first: node-1: "));
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "connect-ha node uncordon node-1"));
  cluster.TakeBack(v1::Word::CORDON);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeTogether, IsMadeInTheMaintenanceWindow) {
  PlanCluster cluster = ToBeUpgraded(2);
  cluster.input.mutable_next()->mutable_spec()->mutable_rollout()->set_maintenance_window(
      "Sun 02:00-04:00 UTC");
  SetWindow(cluster, 30, 150);
  v1::Decision decision = GoOn(cluster, minutes(20));
  EXPECT_EQ(decision.rollout().phase(), Status::AWAITING);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha approve 8 --now --reason"));
  EXPECT_TRUE(decision.has_wake_at());
  decision = GoTo(cluster, Status::DONE);
  EXPECT_EQ(decision.ended(0).approved_by(), "maintenance window Sun 02:00-04:00 UTC");
  EXPECT_GE(decision.ended(0).began_at().seconds(), cluster.input.window().opens().seconds());
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

TEST(ChangeTogether, IsBackedUpFirst) {
  PlanCluster cluster = Approved(2);
  AskForABackup(cluster);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.rollout().phase(), Status::BACKING_UP);
  ASSERT_TRUE(decision.has_back_up());
  EXPECT_EQ(decision.back_up().generation(), kNext);
  const v1::BackupRun asked = decision.back_up();
  EXPECT_EQ(decision.remember().backup().SerializeAsString(), asked.SerializeAsString());
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.back_up().asked_at().seconds(), asked.asked_at().seconds());  // once
  // It fails: nobody was stopped.
  v1::BackupRun& run = *cluster.input.mutable_backup();
  run = asked;
  *run.mutable_ended_at() = cluster.input.now();
  run.set_text("pg_dump: no space left");
  decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.rollout().phase(), Status::BACKING_UP);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "no space left"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha approve 8"));
  EXPECT_FALSE(decision.has_back_up());
  // Approved once more, it is tried again.
  ApproveIt(cluster);
  decision = cluster.Step();
  ASSERT_TRUE(decision.has_back_up());
  run = decision.back_up();
  cluster.Wait(seconds(10));
  *run.mutable_ended_at() = cluster.input.now();
  run.set_went_well(true);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeTogether, IsRefusedWhereItGoesBehindWhatHasMigrated) {
  PlanCluster cluster(2);
  cluster.input.mutable_spec()->mutable_connect()->set_version(kOldVersion);
  ProposeVersionNext(cluster, kNext, "2024.06.0");
  ApproveIt(cluster);
  const v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.rollout().phase(), Status::REFUSED);
  EXPECT_NE(decision.rollout().reason(), "");
  EXPECT_NE(FixesOf(decision), "");
  EXPECT_EQ(StatesOf(decision), "serving, serving");
}

// A store that was made before changes were ordered knows neither a generation nor the database.
TEST(ChangeTogether, IsKnownFromNowOnToAStoreThatKnewNothingOfIt) {
  PlanCluster cluster(2);
  cluster.input.mutable_memory()->clear_generation();
  cluster.input.mutable_memory()->clear_database();
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.remember().generation(), kGeneration);
  EXPECT_EQ(decision.remember().database().newest_version(), kOldVersion);
  EXPECT_EQ(StatesOf(decision), "serving, serving");
}

}  // namespace
}  // namespace connect_ha
