// The first start of a version that may migrate the database, as the generation in force.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using std::chrono::seconds;
using Status = v1::RolloutStatus;

constexpr char kNewest[] = "2025.01.0";
constexpr char kNobody[] = "which nobody approved";

// By somebody's hand, on a node that is stopped.
void Install(PlanCluster& cluster, int i, const std::string& version) {
  cluster.node(i).set_installed_version(version);
  cluster.Become(i, v1::READY);
}

void InstallOnBoth(PlanCluster& cluster, const std::string& version) {
  for (const int i : {0, 1}) Install(cluster, i, version);
}

// All are to stop for what names no version.
PlanCluster NamesNoVersion() {
  PlanCluster cluster(2);
  cluster.makes_changes = true;
  for (const int i : {0, 1}) cluster.node(i).set_jobs(0);
  ProposeNext(cluster, kNext, kConfigFile, v1::Change::TOGETHER);
  ApproveIt(cluster);
  return cluster;
}

void ExpectUnapproved(PlanCluster& cluster) {
  const v1::Decision decision = GoOn(cluster, minutes(5));
  for (const v1::NodeAssignment& one : decision.assignments()) {
    EXPECT_NE(one.state(), v1::SERVING) << one.node();
  }
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), kNobody)) << TextsOf(decision);
}

TEST(FirstStart, IsNotCoveredByTheApprovalOfAChangeThatIsDone) {
  PlanCluster cluster = NamesNoVersion();
  ASSERT_EQ(GoTo(cluster, Status::DONE).ended(0).approved_by(), "admin/alice");
  InstallOnBoth(cluster, kNewVersion);
  ExpectUnapproved(cluster);
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kOldVersion);
  // Each version takes a word of its own.
  ApproveIt(cluster);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving");
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kNewVersion);
  EXPECT_EQ(cluster.input.words_size(), 0);
  InstallOnBoth(cluster, kNewest);
  ExpectUnapproved(cluster);
}

TEST(FirstStart, IsNotCoveredByAnApprovalOfBeforeItWasInForce) {
  PlanCluster cluster = NamesNoVersion();
  GoTo(cluster, Status::FIRST);
  for (const int i : {0, 1}) cluster.node(i).set_installed_version(kNewVersion);
  ExpectUnapproved(cluster);
  ApproveIt(cluster);
  GoTo(cluster, Status::DONE);
  EXPECT_EQ(cluster.node(1).running_version(), kNewVersion);
}

// What was migrated and put back is migrated once more only where a person says so.
TEST(FirstStart, IsNotCoveredOnceTheDatabaseWasPutBack) {
  PlanCluster cluster = ToBeUpgraded(2);
  ApproveIt(cluster);
  GoTo(cluster, Status::DONE);
  InstallOnBoth(cluster, kNewVersion);
  cluster.Say(v1::Word::RESTORED, "").set_version(kOldVersion);
  ExpectUnapproved(cluster);
  ApproveIt(cluster);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving");
}

// Somebody started it on one node, and it was never right.
TEST(FirstStart, IsApprovedAlsoWhereItWasSeenToRun) {
  PlanCluster cluster(2);
  InstallOnBoth(cluster, kNewVersion);
  cluster.input.mutable_memory()->mutable_database()->set_newest_version(kNewVersion);
  ExpectUnapproved(cluster);
  ApproveIt(cluster, kGeneration);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "serving, serving");
  EXPECT_EQ(cluster.input.memory().database().before_version(), kOldVersion);
}

// Where it was noted and not started, nothing older would be any more.
TEST(FirstStart, OfSeveralVersionsTheOldestIsApproved) {
  PlanCluster cluster(2);
  Install(cluster, 0, kNewest);
  Install(cluster, 1, kNewVersion);
  cluster.Wait(seconds(10));
  ApproveIt(cluster, kGeneration);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(1))), "ready, serving");
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kNewVersion);
}

// It is of something else that the word was said.
TEST(FirstStart, EndsNoApprovalWhileARuleKeepsItFromStarting) {
  PlanCluster cluster(2);
  InstallOnBoth(cluster, kNewVersion);
  for (const int i : {0, 1}) cluster.Fail(i, "data-dir-is-shared");
  ApproveIt(cluster, kGeneration);
  GoOn(cluster, minutes(5));
  EXPECT_EQ(cluster.input.words_size(), 1);
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kOldVersion);
}

// Enforcement begins while every Connect rests, with a newer one than the database has known.
PlanCluster BeginsToEnforce() {
  PlanCluster cluster(2);
  cluster.makes_changes = true;
  cluster.input.mutable_spec()->set_enforcement(v1::OBSERVE);
  for (const int i : {0, 1}) cluster.Bare(i);
  ProposeVersionNext(cluster, kNext, kNewVersion);
  cluster.input.mutable_next()->mutable_spec()->set_enforcement(v1::ENFORCE);
  return cluster;
}

void EndBackup(PlanCluster& cluster, const v1::Decision& decision, bool went_well) {
  ASSERT_TRUE(decision.has_back_up()) << TextsOf(decision);
  EXPECT_EQ(decision.back_up().generation(), kNext);
  v1::BackupRun& run = *cluster.input.mutable_backup();
  run = decision.back_up();
  *run.mutable_ended_at() = cluster.input.now();
  run.set_went_well(went_well);
  run.set_text("pg_dump: no space left");
}

TEST(FirstStart, IsBackedUpBeforeAsAnyMigration) {
  PlanCluster cluster = BeginsToEnforce();
  v1::ClusterSpec& spec = *cluster.input.mutable_next()->mutable_spec();
  spec.mutable_database()->mutable_backup_before_migration()->set_command("dump");
  ExpectUnapproved(cluster);
  EXPECT_EQ(cluster.input.generation(), kNext);
  ApproveIt(cluster);
  v1::Decision decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "ready, ready");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "the backup before it (dump)"))
      << TextsOf(decision);
  EndBackup(cluster, decision, /*went_well=*/false);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "ready, ready");
  EXPECT_FALSE(decision.has_back_up());
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "no space left"));
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kOldVersion);
  ApproveIt(cluster);
  EndBackup(cluster, cluster.Step(), /*went_well=*/true);
  decision = GoOn(cluster, minutes(1));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  EXPECT_EQ(decision.remember().rollout().approved_by(), "admin/alice");
  EXPECT_EQ(cluster.input.memory().database().newest_version(), kNewVersion);
}

TEST(FirstStart, WaitsForTheMaintenanceWindowUnlessAPersonDoesNot) {
  for (const bool now : {false, true}) {
    PlanCluster cluster = BeginsToEnforce();
    SetWindow(cluster, 60, 180);
    ExpectUnapproved(cluster);
    ApproveIt(cluster).set_now(now);
    const v1::Decision decision = GoOn(cluster, minutes(5));
    EXPECT_EQ(StatesOf(decision), now ? "serving, serving" : "ready, ready");
    if (now) continue;
    EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "connect-ha approve 8 --now"))
        << TextsOf(decision);
    EXPECT_TRUE(decision.has_wake_at());
    EXPECT_TRUE(GoUntil(cluster, 0, v1::SERVING).assignments(0).closed());
    EXPECT_GE(cluster.input.now().seconds(), cluster.input.window().opens().seconds());
  }
}

TEST(FirstStart, IsApprovedByAnOpenWindowAlone) {
  PlanCluster cluster = BeginsToEnforce();
  SetWindow(cluster, 10, 130);
  ExpectUnapproved(cluster);
  GoUntil(cluster, 0, v1::SERVING);
  EXPECT_EQ(cluster.input.memory().rollout().approved_by(),
            "maintenance window Sun 02:00-04:00 UTC");
}

}  // namespace
}  // namespace connect_ha
