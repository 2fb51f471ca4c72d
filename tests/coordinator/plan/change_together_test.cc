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

void AskForABackup(PlanCluster& cluster) {
  cluster.input.mutable_next()
      ->mutable_spec()
      ->mutable_database()
      ->mutable_backup_before_migration()
      ->set_command("dump");
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

// The others hold their locks in the database of before yet, say.
TEST(ChangeTogether, FencesNobodyForWhatItShowsBesideThoseThatRest) {
  PlanCluster cluster = FirstStarts(3);
  cluster.Fail(0, "database-is-same", v1::PROOF);
  for (int i = 0; i < 400; ++i) {
    const v1::Decision decision = cluster.Step();
    ASSERT_EQ(decision.assignments(0).state(), v1::SERVING) << TextsOf(decision);
    if (decision.remember().rollout().has_opened_at()) break;
    cluster.Wait(seconds(5));
  }
  // Then they are as it is.
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(2))), "fenced, serving, serving");
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
