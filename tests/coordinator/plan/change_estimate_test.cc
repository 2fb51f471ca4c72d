#include <gtest/gtest.h>

#include "coordinator/plan/record/estimate.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using v1::Rollout;
using v1::RolloutStep;

void AddSpan(PlanCluster& cluster, Rollout::Kind kind, RolloutStep::Step step, minutes span) {
  v1::StepSpan& added = *cluster.input.mutable_memory()->add_spans();
  added.set_kind(kind);
  added.set_step(step);
  added.set_us(std::chrono::microseconds(span).count());
}

std::optional<std::chrono::microseconds> TakesIn(const PlanCluster& cluster, Rollout::Kind kind,
                                                 int nodes) {
  return Takes(LookAt(cluster.input), kind, nodes);
}

TEST(ChangeEstimate, IsUnsetWhereNothingLikeItWasDone) {
  PlanCluster cluster(2);
  for (const auto kind : {Rollout::IN_PLACE, Rollout::ROLLING, Rollout::TOGETHER}) {
    EXPECT_FALSE(TakesIn(cluster, kind, 2).has_value());
    EXPECT_EQ(TakesIn(cluster, kind, 0), minutes(0));
  }
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::CHANGING, minutes(1));
  EXPECT_FALSE(TakesIn(cluster, Rollout::ROLLING, 2).has_value());
}

TEST(ChangeEstimate, OfADrainIsTheTimeThatUsersHave) {
  PlanCluster cluster(1);
  const auto drain = [&cluster] {
    return SpanOf(LookAt(cluster.input), Rollout::ROLLING, RolloutStep::DRAINING);
  };
  EXPECT_EQ(drain(), minutes(5));
  cluster.input.mutable_spec()->mutable_rollout()->mutable_drain_timeout()->set_seconds(60);
  EXPECT_EQ(drain(), minutes(1));
}

TEST(ChangeEstimate, AddsUpWhatEachNodeTakes) {
  PlanCluster cluster(3);
  AddSpan(cluster, Rollout::ROLLING, RolloutStep::CHANGING, minutes(1));
  AddSpan(cluster, Rollout::ROLLING, RolloutStep::STARTING, minutes(2));
  AddSpan(cluster, Rollout::ROLLING, RolloutStep::VERIFYING, minutes(3));
  EXPECT_EQ(TakesIn(cluster, Rollout::ROLLING, 1), minutes(11));
  EXPECT_EQ(TakesIn(cluster, Rollout::ROLLING, 3), minutes(33));
  // As many at once as the generation says that it is of.
  cluster.input.mutable_spec()->mutable_rollout()->set_max_unavailable(2);
  EXPECT_EQ(TakesIn(cluster, Rollout::ROLLING, 3), minutes(22));
  Propose(cluster).mutable_spec()->mutable_rollout()->set_max_unavailable(7);
  EXPECT_EQ(TakesIn(cluster, Rollout::ROLLING, 3), minutes(11));
}

TEST(ChangeEstimate, OfAllTogetherIsTheFirstAndThenTheRest) {
  PlanCluster cluster(3);
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::CHANGING, minutes(1));
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::STARTING, minutes(2));
  EXPECT_EQ(TakesIn(cluster, Rollout::TOGETHER, 3), minutes(11));
  EXPECT_EQ(TakesIn(cluster, Rollout::TOGETHER, 1), minutes(8));
}

// A long one once does not make every window too short for good.
TEST(ChangeEstimate, TheRestMigratesNothing) {
  PlanCluster cluster(3);
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::CHANGING, minutes(1));
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::STARTING, minutes(60));
  EXPECT_EQ(TakesIn(cluster, Rollout::TOGETHER, 3), minutes(82)) << "no other start is known";
  AddSpan(cluster, Rollout::ROLLING, RolloutStep::STARTING, minutes(2));
  EXPECT_EQ(TakesIn(cluster, Rollout::TOGETHER, 3), minutes(69));
  EXPECT_EQ(TakesIn(cluster, Rollout::TOGETHER, 1), minutes(66));
  EXPECT_EQ(RestTakes(LookAt(cluster.input)), minutes(3));
  const auto start = [&cluster](bool may_migrate) {
    return StartTakes(LookAt(cluster.input), Rollout::TOGETHER, may_migrate);
  };
  EXPECT_EQ(start(true), minutes(60));
  EXPECT_EQ(start(false), minutes(2));
}

// The rest is changed after the first, while nobody is back yet.
TEST(ChangeEstimate, OfAllTogetherTheLongestOfAStepCounts) {
  PlanCluster cluster = ToBeUpgraded(3);
  cluster.makes_changes = false;
  cluster.input.mutable_next()->mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  AddSpan(cluster, Rollout::TOGETHER, RolloutStep::CHANGING, minutes(60));
  ApproveIt(cluster);
  GoUntil(cluster, 0, v1::PREPARING);
  GoOn(cluster, minutes(5));
  cluster.makes_changes = true;
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  cluster.node(0).mutable_convergence()->clear_changes();
  cluster.node(0).set_installed_version(kNewVersion);
  GoTo(cluster, v1::RolloutStatus::DONE);
  const auto span = SpanOf(LookAt(cluster.input), Rollout::TOGETHER, RolloutStep::CHANGING);
  ASSERT_TRUE(span.has_value());
  EXPECT_GE(*span, minutes(5));
  EXPECT_LT(*span, minutes(10)) << "that of the change before";
}

// A slow start once does not make all of them slow for good.
TEST(ChangeEstimate, OfAStartIsThatOfTheLatestChange) {
  PlanCluster cluster = ToBeRestarted(2);
  AddSpan(cluster, Rollout::ROLLING, RolloutStep::STARTING, minutes(60));
  GoTo(cluster, v1::RolloutStatus::DONE);
  const auto span = SpanOf(LookAt(cluster.input), Rollout::ROLLING, RolloutStep::STARTING);
  ASSERT_TRUE(span.has_value());
  EXPECT_LT(*span, minutes(10));
}

TEST(ChangeEstimate, OfWhatStopsNobodyIsThatOfOneNode) {
  PlanCluster cluster(3);
  AddSpan(cluster, Rollout::IN_PLACE, RolloutStep::CHANGING, minutes(2));
  EXPECT_EQ(TakesIn(cluster, Rollout::IN_PLACE, 3), minutes(2));
}

}  // namespace
}  // namespace connect_ha
