// The backup before a change for which all nodes stop: asked for, waited for, failed and made anew.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/plan/next/backup.h"
#include "coordinator/plan/next/outlook_of.h"
#include "tests/coordinator/plan/begin_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

BackupLook BackupOf(const PlanCluster& cluster) {
  const Situation situation = LookAt(cluster.input);
  return BackupFor(situation, KindOfNext(situation));
}

class BackedUp : public Together {
 protected:
  BackedUp() {
    v1::ClusterSpec& spec = *cluster.input.mutable_next()->mutable_spec();
    spec.mutable_database()->mutable_backup_before_migration()->set_command("snapshot");
  }

  v1::BackupRun& Remembered() { return *cluster.input.mutable_memory()->mutable_backup(); }

  void Ended(bool went_well) {
    Remembered().set_generation(kNext);
    *Remembered().mutable_asked_at() = cluster.input.now();
    *Remembered().mutable_ended_at() = cluster.input.now();
    Remembered().set_went_well(went_well);
    Remembered().set_text("exit status 1\nno space left");
  }
};

TEST_F(Together, IsBackedUpOnlyWhereThatIsAskedFor) {
  EXPECT_FALSE(BackupOf(cluster).asked);
  EXPECT_EQ(BackupOf(cluster).why, "");
}

TEST_F(BackedUp, IsAskedForOnceUntilItEnds) {
  BackupLook backup = BackupOf(cluster);
  EXPECT_TRUE(backup.asked);
  EXPECT_EQ(backup.run.generation(), kNext);
  EXPECT_EQ(backup.run.asked_at().seconds(), cluster.input.now().seconds());
  EXPECT_TRUE(StrContains(backup.why, "snapshot"));
  Remembered() = backup.run;
  cluster.Wait(std::chrono::minutes(5));
  backup = BackupOf(cluster);
  EXPECT_TRUE(backup.asked);
  EXPECT_EQ(backup.run.SerializeAsString(), Remembered().SerializeAsString());
  cluster.Wait(std::chrono::minutes(30));
  EXPECT_TRUE(StrContains(BackupOf(cluster).why, "has not said how it ended"));
}

TEST_F(BackedUp, GoesOnOnceItWentWellAndIsNotOld) {
  Ended(true);
  EXPECT_FALSE(BackupOf(cluster).asked);
  EXPECT_EQ(BackupOf(cluster).why, "");
  cluster.Wait(std::chrono::minutes(61));
  EXPECT_TRUE(BackupOf(cluster).asked);
  EXPECT_EQ(BackupOf(cluster).run.asked_at().seconds(), cluster.input.now().seconds());
}

TEST_F(BackedUp, IsNotThatOfAnotherGeneration) {
  Ended(true);
  Remembered().set_generation(kGeneration);
  EXPECT_TRUE(BackupOf(cluster).asked);
}

TEST_F(BackedUp, StopsTheChangeWhereItFailed) {
  ApproveIt(cluster);
  Ended(false);
  EXPECT_TRUE(BackupOf(cluster).failed);
  EXPECT_FALSE(BackupOf(cluster).asked);
  EXPECT_TRUE(StrContains(BackupOf(cluster).why, "no space left"));
  cluster.Wait(std::chrono::minutes(1));
  EXPECT_TRUE(BackupOf(cluster).failed);
  ApproveIt(cluster);
  EXPECT_FALSE(BackupOf(cluster).failed);
  EXPECT_TRUE(BackupOf(cluster).asked);
}

// By the clock, whoever says that it is to be tried again says so before it failed.
TEST_F(BackedUp, IsTriedAgainOnceTheClockWasSetBack) {
  ApproveIt(cluster);
  Ended(false);
  cluster.Wait(std::chrono::hours(-3));
  EXPECT_FALSE(BackupOf(cluster).failed);
  EXPECT_TRUE(BackupOf(cluster).asked);
  EXPECT_EQ(BackupOf(cluster).run.asked_at().seconds(), cluster.input.now().seconds());
  Ended(false);
  EXPECT_TRUE(BackupOf(cluster).failed);
}

TEST_F(BackedUp, IsTriedAgainInTheNextWindow) {
  Ended(false);
  SetWindow(cluster, -10, 110);
  EXPECT_TRUE(BackupOf(cluster).failed);
  cluster.Wait(std::chrono::hours(24));
  SetWindow(cluster, 0, 120);
  EXPECT_TRUE(BackupOf(cluster).asked);
}

TEST_F(BackedUp, IsBegunOnlyInAWindowThatIsLongEnoughForBoth) {
  SetWindow(cluster, 0, 59);
  EXPECT_EQ(ApprovalOf(cluster).why, "");  // how long it takes is not known
  Ended(true);
  Remembered().set_generation(kGeneration);
  Remembered().mutable_asked_at()->set_seconds(cluster.input.now().seconds() - 45 * 60);
  const std::string why = ApprovalOf(cluster).why;
  EXPECT_TRUE(StrContains(why, "this one ends at")) << why;
  EXPECT_TRUE(StrContains(why, "takes about 15m, after 45m for the backup before it")) << why;
  ApproveIt(cluster);
  EXPECT_EQ(ApprovalOf(cluster).why, why);
  SetWindow(cluster, 0, 60);
  EXPECT_EQ(ApprovalOf(cluster).why, "");
  // It is made, and after an hour once more.
  SetWindow(cluster, -44, 15);
  EXPECT_NE(ApprovalOf(cluster).why, "");
  Remembered().set_generation(kNext);
  EXPECT_EQ(ApprovalOf(cluster).why, "");
  cluster.Wait(std::chrono::minutes(61));
  SetWindow(cluster, 0, 59);
  EXPECT_NE(ApprovalOf(cluster).why, "");
}

TEST_F(BackedUp, AWindowThatIsAlwaysTooShortIsSaidBefore) {
  Ended(true);
  Remembered().set_generation(kGeneration);
  Remembered().mutable_asked_at()->set_seconds(cluster.input.now().seconds() - 45 * 60);
  const auto because = [this] {
    const Situation situation = LookAt(cluster.input);
    const v1::Outlook outlook = OutlookOf(situation, KindOfNext(situation));
    return outlook.because_size() == 0 ? "" : outlook.because(outlook.because_size() - 1);
  };
  SetWindow(cluster, 600, 659);
  EXPECT_EQ(because(),
            "the maintenance window Sun 02:00-04:00 UTC is too short for it: it takes about 15 "
            "min, after about 45 min for the backup before it, and only connect-ha approve --now "
            "begins it");
  const auto needs = [this] {
    const Situation situation = LookAt(cluster.input);
    return OutlookOf(situation, KindOfNext(situation)).needs();
  };
  const std::string approve = absl::StrCat("connect-ha approve ", kNext, " --now");
  EXPECT_EQ(needs(), approve);  // no window begins it
  SetWindow(cluster, 600, 660);
  EXPECT_FALSE(StrContains(because(), "too short"));
  EXPECT_NE(needs(), approve);
}

TEST_F(BackedUp, ThatItFailedIsSaidUntilItIsTriedAgain) {
  Ended(false);
  SetWindow(cluster, 30, 150);
  const v1::RolloutStatus status = cluster.Decide().rollout();
  EXPECT_EQ(status.phase(), v1::RolloutStatus::AWAITING);
  EXPECT_TRUE(StrContains(status.reason(), "which opens at")) << status.reason();
  EXPECT_TRUE(StrContains(status.reason(), "the backup before it failed at 2024-"));
  EXPECT_TRUE(StrContains(status.reason(), "no space left"));
  cluster.Wait(std::chrono::minutes(31));
  EXPECT_EQ(cluster.Decide().rollout().phase(), v1::RolloutStatus::BACKING_UP);
  EXPECT_FALSE(StrContains(cluster.Decide().rollout().reason(), "failed"));
}

// A node whose latest report was not judged yet is no reason to make another, or to say that one is
// waited with.
TEST_F(BackedUp, RunsOnWhoeverIsNotReadyMeanwhile) {
  ApproveIt(cluster);
  cluster.node(0).mutable_staged()->set_ready(false);
  EXPECT_FALSE(cluster.Decide().has_back_up());
  cluster.node(0).mutable_staged()->set_ready(true);
  ASSERT_TRUE(cluster.Store().has_back_up());
  cluster.node(0).set_fresh(false);
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.rollout().phase(), v1::RolloutStatus::BACKING_UP);
  EXPECT_EQ(decision.rollout().standing(), v1::RolloutStatus::GOES_ON);
  EXPECT_TRUE(decision.has_back_up());
}

TEST_F(BackedUp, ThatItWentWellBeginsNothingThatIsNotReady) {
  ApproveIt(cluster);
  Ended(true);
  cluster.node(0).mutable_staged()->set_ready(false);
  EXPECT_NE(cluster.Decide().rollout().reason(), "");
  EXPECT_NE(cluster.Decide().rollout().phase(), v1::RolloutStatus::STOPPING);
}

TEST_F(BackedUp, IsNotNeededWhereNodesGoOneAfterTheOther) {
  v1::Ahead& staged = *cluster.node(0).mutable_staged();
  staged.clear_changes();
  staged.set_needs(v1::Change::RESTART);
  EXPECT_FALSE(BackupOf(cluster).asked);
}

}  // namespace
}  // namespace connect_ha
