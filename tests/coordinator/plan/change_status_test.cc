// What people are shown of a change.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "coordinator/plan/outlook.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using Status = v1::RolloutStatus;

void Took(PlanCluster& cluster, v1::Rollout::Kind kind, v1::RolloutStep::Step step, int seconds) {
  v1::StepSpan& span = *cluster.input.mutable_memory()->add_spans();
  span.set_kind(kind);
  span.set_step(step);
  span.set_us(int64_t{1'000'000} * seconds);
}

TEST(ChangeOutlook, SaysWhatAGenerationNeedsAndHowLongItTakes) {
  PlanCluster rolling = ToBeRestarted(2);
  EXPECT_EQ(LookAhead(rolling.input).text(), "a rolling restart, at least 1 node serving");
  EXPECT_FALSE(LookAhead(rolling.input).has_takes_us());
  Took(rolling, v1::Rollout::ROLLING, v1::RolloutStep::CHANGING, 20);
  Took(rolling, v1::Rollout::ROLLING, v1::RolloutStep::STARTING, 10);
  EXPECT_EQ(LookAhead(rolling.input).text(),
            "a rolling restart, about 11 min, at least 1 node serving");
  EXPECT_EQ(LookAhead(rolling.input).needs(), "");

  PlanCluster together = ToBeUpgraded(2);
  EXPECT_EQ(LookAhead(together.input).text(), "this stops Connect on all nodes");
  EXPECT_EQ(LookAhead(together.input).needs(), "connect-ha approve 8");
  together.input.mutable_next()->mutable_spec()->mutable_rollout()->set_maintenance_window(
      "Sun 02:00-04:00 UTC");
  EXPECT_TRUE(StrContains(LookAhead(together.input).needs(), "Sun 02:00-04:00 UTC"));

  PlanCluster in_place(2);
  Propose(in_place);
  EXPECT_EQ(LookAhead(in_place.input).text(), "a change in place, without a restart of Connect");
}

TEST(ChangeStatus, IsNoneWhereNothingIsToBeDone) {
  EXPECT_FALSE(PlanCluster(2).Decide().has_rollout());
}

TEST(ChangeStatus, ShowsWhereEachNodeStands) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Lose(2);
  const v1::Decision decision = GoUntil(cluster, 0, v1::DRAINING);
  const Status& status = decision.rollout();
  EXPECT_EQ(status.phase(), Status::ROLLING);
  EXPECT_EQ(status.standing(), Status::GOES_ON);
  EXPECT_TRUE(StrContains(status.reason(), "node-1, node-2")) << status.reason();
  ASSERT_EQ(status.nodes_size(), 3);
  EXPECT_EQ(status.nodes(0).step(), v1::RolloutStep::DRAINING);
  EXPECT_EQ(status.nodes(0).left_us(), 300'000'000);
  EXPECT_EQ(status.nodes(1).step(), v1::RolloutStep::WAITING);
  EXPECT_TRUE(StrContains(status.nodes(1).waits_for(), "node-1 to serve first"));
  EXPECT_EQ(status.nodes(2).step(), v1::RolloutStep::ABSENT);
  EXPECT_NE(status.nodes(2).waits_for(), "");
}

TEST(ChangeStatus, ShowsWhoGetsReady) {
  PlanCluster cluster = ToBeUpgraded(2);
  cluster.node(1).mutable_staged()->set_ready(false);
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.rollout().phase(), Status::STAGING);
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::WAITING);
  EXPECT_EQ(decision.rollout().nodes(1).step(), v1::RolloutStep::GETTING_READY);
  EXPECT_TRUE(decision.rollout().has_outlook());
}

// It goes by what the last one took.
TEST(ChangeStatus, EstimatesByEarlierOnes) {
  PlanCluster cluster = ToBeRestarted(2);
  GoTo(cluster, Status::DONE);
  ProposeNext(cluster, kNext + 1, kConfigFile, v1::Change::RESTART);
  EXPECT_TRUE(LookAhead(cluster.input).has_takes_us());
  const v1::Decision decision = GoTo(cluster, Status::ROLLING);
  EXPECT_GT(decision.rollout().left_us(), 0);
}

TEST(ChangeStatus, SaysDoneUntilSomethingNewIsApplied) {
  PlanCluster cluster = ToBeRestarted(2);
  GoTo(cluster, Status::DONE);
  const v1::Decision decision = GoOn(cluster, minutes(60));
  EXPECT_EQ(decision.rollout().phase(), Status::DONE);
  EXPECT_EQ(decision.rollout().generation(), kNext);
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::CHANGED);
}

}  // namespace
}  // namespace connect_ha
