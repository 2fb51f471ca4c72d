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

}  // namespace
}  // namespace connect_ha
