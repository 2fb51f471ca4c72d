// A decision that breaks an invariant of changes is told so: each is broken here once, on purpose.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/decide.h"
#include "coordinator/plan/invariants.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using Status = v1::RolloutStatus;

std::string BrokenBy(const v1::PlanInput& input, const v1::Decision& decision) {
  return absl::StrJoin(Broken(input, decision), "\n");
}

void ExpectBroken(const v1::PlanInput& input, const v1::Decision& decision,
                  const std::string& text) {
  const std::string broken = BrokenBy(input, decision);
  EXPECT_TRUE(absl::StrContains(broken, text)) << "\"" << broken << "\" lacks: " << text;
}

void Give(v1::Decision& decision, int i, v1::NodeState state, bool closed, const v1::Order& after) {
  v1::NodeAssignment& given = *decision.mutable_assignments(i);
  v1::NodeMemory& memory = *decision.mutable_remember()->mutable_nodes(i);
  given.set_state(state);
  given.set_closed(closed);
  memory.set_state(state);
  memory.set_closed(closed);
  memory.clear_out_for();
  memory.mutable_order()->set_epoch(after.epoch());
  memory.mutable_order()->set_serial(after.serial() + 100);
  *given.mutable_order() = memory.order();
}

v1::Decision With(const v1::PlanInput& input, int i, v1::NodeState state, bool closed = false) {
  v1::Decision decision = Decide(input);
  Give(decision, i, state, closed, input.nodes(i).obeys());
  decision.mutable_assignments(i)->set_generation(input.generation());
  decision.mutable_remember()->mutable_nodes(i)->set_generation(input.generation());
  return decision;
}

PlanCluster In(Status::Phase phase, int nodes = 2) {
  PlanCluster cluster = ToBeUpgraded(nodes);
  ApproveIt(cluster);
  GoTo(cluster, phase);
  return cluster;
}

TEST(InvariantsChangeTest, AGenerationIsTheNewestAndNobodyRunsTheOneBefore) {
  PlanCluster cluster = ToBeUpgraded(2);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_remember()->set_generation(kNext + 5);
  ExpectBroken(cluster.input, decision, "that is not the newest");
  decision.mutable_remember()->set_generation(kGeneration - 1);
  ExpectBroken(cluster.input, decision, "that is not the newest");
  decision = Decide(cluster.input);
  decision.mutable_remember()->set_generation(kNext);
  decision.mutable_remember()->mutable_rollout()->set_generation(kNext);
  decision.mutable_remember()->mutable_rollout()->set_kind(v1::Rollout::TOGETHER);
  ExpectBroken(cluster.input, decision, "before they were told");
  ExpectBroken(cluster.input, decision, "node-2 is not known to be stopped");
  decision = With(cluster.input, 0, v1::SERVING);
  decision.mutable_assignments(0)->set_generation(kNext);
  ExpectBroken(cluster.input, decision, "a generation that is not in force");
}

TEST(InvariantsChangeTest, AllAreStoppedOrGone) {
  PlanCluster cluster = In(Status::STOPPING);
  while (Decide(cluster.input).remember().generation() == kGeneration) cluster.Step();
  const v1::Decision decision = Decide(cluster.input);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
  const auto breaks = [&](auto change) {
    v1::PlanInput input = cluster.input;
    change(*input.mutable_nodes(1));
    ExpectBroken(input, decision, "node-2 is not known to be stopped");
  };
  breaks([](v1::PlanNode& node) { node.set_fresh(false); });
  breaks([](v1::PlanNode& node) { node.set_connect(v1::CONNECT_RUNS); });
  breaks([](v1::PlanNode& node) { node.set_connect(v1::CONNECT_UNKNOWN); });
  breaks([](v1::PlanNode& node) { node.mutable_brief()->set_reported_state(v1::DRAINING); });
  breaks([](v1::PlanNode& node) { node.mutable_obeys()->set_serial(1); });
}

TEST(InvariantsChangeTest, WhatIsIrreversibleIsApprovedAndRemembered) {
  PlanCluster cluster = In(Status::FIRST);
  GoUntil(cluster, 0, v1::READY);
  v1::Decision decision = Decide(cluster.input);
  ASSERT_EQ(decision.remember().database().newest_version(), kNewVersion);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING, /*closed=*/true),
               "which is not remembered");
  v1::PlanInput input = cluster.input;
  input.mutable_memory()->mutable_rollout()->clear_approved_by();
  ExpectBroken(input, decision, "nobody approved that");
  input = cluster.input;
  *input.mutable_memory()->mutable_rollout()->mutable_ended_at() = input.now();
  ExpectBroken(input, decision, "nobody approved that");
  v1::Word& word = *input.add_words();
  word.set_kind(v1::Word::APPROVE);
  word.set_generation(kNext);
  word.set_number(9);
  *word.mutable_at() = input.now();
  EXPECT_FALSE(absl::StrContains(BrokenBy(input, decision), "nobody approved that"));
  decision.mutable_remember()->mutable_database()->set_newest_version("2024.06.0");
  ExpectBroken(cluster.input, decision, "has known is forgotten");
  decision = Decide(cluster.input);
  decision.mutable_remember()->mutable_database()->clear_right_version();
  ExpectBroken(cluster.input, decision, "has known is forgotten");
  decision.mutable_remember()->clear_database();
  ExpectBroken(cluster.input, decision, "has known is forgotten");
  decision.mutable_remember()->set_not_before(cluster.input.memory().not_before() - 1);
  ExpectBroken(cluster.input, decision, "what all nodes have left together is forgotten");
}

TEST(InvariantsChangeTest, NothingOlderIsStartedThanWhatMayHaveMigrated) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.input.mutable_memory()->mutable_database()->set_newest_version(kNewVersion);
  v1::Decision decision = With(cluster.input, 0, v1::SERVING, /*closed=*/true);
  ExpectBroken(cluster.input, decision, "may have migrated the database");
  v1::DatabaseMemory& database = *cluster.input.mutable_memory()->mutable_database();
  database.set_before_version(kOldVersion);
  database.set_before_migration("0213");
  cluster.node(0).set_migration("0213");
  decision = With(cluster.input, 0, v1::SERVING, /*closed=*/true);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
}

TEST(InvariantsChangeTest, WhatWasNeverRightIsStartedOnlyWithApproval) {
  constexpr char kText[] = "which was never right with the database";
  PlanCluster cluster(2);
  for (const int i : {0, 1}) {
    cluster.node(i).set_installed_version(kNewVersion);
    cluster.Become(i, v1::READY);
  }
  v1::DatabaseMemory& database = *cluster.input.mutable_memory()->mutable_database();
  database.set_newest_version(kNewVersion);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING, /*closed=*/true), kText);
  v1::PlanInput approved = cluster.input;
  approved.mutable_memory()->set_not_before(kGeneration);
  EXPECT_FALSE(absl::StrContains(
      BrokenBy(approved, With(approved, 0, v1::SERVING, /*closed=*/true)), kText));
  database.set_right_version(kNewVersion);
  EXPECT_FALSE(absl::StrContains(
      BrokenBy(cluster.input, With(cluster.input, 0, v1::SERVING, /*closed=*/true)), kText));
}

TEST(InvariantsChangeTest, AMigrationIsLeftAlone) {
  PlanCluster cluster = In(Status::FIRST);
  GoUntil(cluster, 0, v1::SERVING);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::STOPPED), "node-1 is stopped, and may be");
  v1::Decision decision = Decide(cluster.input);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
  decision.mutable_remember()->mutable_rollout()->set_generation(kNext + 1);
  ExpectBroken(cluster.input, decision, "another change is begun, and node-1 may be migrating");
  // It is over, one way or the other.
  v1::PlanInput failed = cluster.input;
  failed.mutable_nodes(0)->set_start_failed("migration 214");
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(true);
  for (const v1::PlanInput& input : {failed, cluster.input}) {
    const std::string broken = BrokenBy(input, With(input, 0, v1::STOPPED));
    EXPECT_FALSE(absl::StrContains(broken, "may be migrating")) << broken;
  }
}

TEST(InvariantsChangeTest, NobodyStartsBeforeItsTurn) {
  PlanCluster cluster = In(Status::FIRST);
  cluster.Step();
  cluster.node(1).set_installed_version(kNewVersion);
  cluster.input.mutable_memory()->mutable_database()->set_newest_version(kNewVersion);
  ExpectBroken(cluster.input, With(cluster.input, 1, v1::SERVING, /*closed=*/true),
               "node-2 starts before its turn");
  PlanCluster stopping = In(Status::STOPPING);
  stopping.Become(1, v1::READY);
  ExpectBroken(stopping.input, With(stopping.input, 1, v1::SERVING, /*closed=*/true),
               "node-2 starts before its turn");
}

TEST(InvariantsChangeTest, EnoughServeWhereNodesGoOneAfterTheOther) {
  PlanCluster cluster = ToBeRestarted(3);
  cluster.Step();
  cluster.Step();
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  v1::Decision decision = With(cluster.input, 0, v1::DRAINING);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
  Give(decision, 1, v1::DRAINING, false, cluster.input.nodes(1).obeys());
  ExpectBroken(cluster.input, decision, "leaves for a change, and too few are left");
  ApproveIt(cluster).set_downtime(true);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
}

TEST(InvariantsChangeTest, NobodyLeavesForWhatDoesNotGoOn) {
  for (const v1::Word::Kind kind : {v1::Word::PAUSE, v1::Word::ABORT}) {
    PlanCluster cluster = ToBeRestarted(3);
    cluster.Step();
    cluster.Step();
    cluster.Say(kind, "").set_generation(kNext);
    ExpectBroken(cluster.input, With(cluster.input, 0, v1::DRAINING), "that does not go on");
  }
  PlanCluster halted = ToBeRestarted(3);
  halted.Step();
  halted.Step();
  v1::Decision decision = With(halted.input, 0, v1::DRAINING);
  decision.mutable_rollout()->set_standing(Status::HALTED);
  ExpectBroken(halted.input, decision, "that does not go on");
}

TEST(InvariantsChangeTest, AGateOpensOnceItIsKnownToBeRight) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  ExpectBroken(cluster.input, With(cluster.input, 0, v1::SERVING, /*closed=*/false),
               "before it was looked at");
  cluster.Step();
  cluster.input.mutable_spec()->mutable_connect()->set_version(kOldVersion);
  EXPECT_EQ(BrokenBy(cluster.input, With(cluster.input, 0, v1::SERVING)), "");
  const auto breaks = [&cluster](auto change) {
    PlanCluster other = cluster;
    change(other.node(0));
    ExpectBroken(other.input, With(other.input, 0, v1::SERVING), "not known to be right");
  };
  breaks([](v1::PlanNode& node) { node.mutable_brief()->mutable_facts()->set_answers(false); });
  breaks([](v1::PlanNode& node) { node.set_running_version(kNewVersion); });
  breaks(
      [](v1::PlanNode& node) { node.mutable_brief()->mutable_facts()->set_mount_verified(false); });
  v1::Decision decision = With(cluster.input, 0, v1::DRAINING, /*closed=*/true);
  ExpectBroken(cluster.input, decision, "is closed, and does not serve");
}

TEST(InvariantsChangeTest, WhatWasDoneIsNotForgotten) {
  PlanCluster cluster = In(Status::FIRST);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_remember()->mutable_rollout()->clear_in_force_at();
  ExpectBroken(cluster.input, decision, "what was done of a change is forgotten");
  decision.mutable_remember()->clear_rollout();
  ExpectBroken(cluster.input, decision, "what was done of a change is forgotten");
  PlanCluster stopping = In(Status::STOPPING);
  stopping.input.mutable_memory()->mutable_given_up()->set_generation(kGeneration);
  v1::Decision back = Decide(stopping.input);
  back.mutable_remember()->clear_rollout();
  ExpectBroken(stopping.input, back, "what was done of a change is forgotten");
  decision = Decide(cluster.input);
  decision.mutable_remember()->mutable_rollout()->set_first("node-2");
  ExpectBroken(cluster.input, decision, "another node goes first, and node-1 may run");
  v1::PlanInput input = cluster.input;
  input.mutable_nodes(0)->set_fresh(false);
  v1::Word& word = *input.add_words();
  word.set_kind(v1::Word::GONE);
  word.set_node("node-1");
  EXPECT_FALSE(absl::StrContains(BrokenBy(input, decision), "another node goes first"));
}

TEST(InvariantsChangeTest, NobodyIsStoppedWithoutApprovalOrBackup) {
  PlanCluster cluster = ToBeUpgraded(2);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_back_up()->set_generation(kNext);
  ExpectBroken(cluster.input, decision, "a backup is made for what nobody approved");
  decision = Decide(cluster.input);
  v1::Rollout& rollout = *decision.mutable_remember()->mutable_rollout();
  rollout.set_generation(kNext);
  rollout.set_kind(v1::Rollout::TOGETHER);
  rollout.set_approved_by("nobody");
  ExpectBroken(cluster.input, decision, "all nodes are to stop for what nobody approved");
  ApproveIt(cluster);
  decision = Decide(cluster.input);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
  cluster.input.mutable_next()
      ->mutable_spec()
      ->mutable_database()
      ->mutable_backup_before_migration()
      ->set_command("dump");
  ExpectBroken(cluster.input, decision, "before the backup was made");
}

TEST(InvariantsChangeTest, AChangeIsInAPhaseAndSaysWhatToType) {
  PlanCluster cluster = ToBeRestarted(2);
  v1::Decision decision = Decide(cluster.input);
  decision.clear_rollout();
  ExpectBroken(cluster.input, decision, "a change is in no phase");
  decision = Decide(cluster.input);
  decision.mutable_rollout()->set_standing(Status::PAUSED);
  decision.mutable_rollout()->clear_fixes();
  ExpectBroken(cluster.input, decision, "what to type");
}

TEST(InvariantsChangeTest, TheChangeUnderWayIsShown) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.Step();
  v1::Decision decision = Decide(cluster.input);
  EXPECT_EQ(BrokenBy(cluster.input, decision), "");
  decision.mutable_rollout()->set_generation(kNext + 1);
  ExpectBroken(cluster.input, decision, "another one is shown in its place");
  decision = Decide(cluster.input);
  decision.mutable_rollout()->mutable_next()->set_standing(Status::HALTED);
  ExpectBroken(cluster.input, decision, "what to type");
}

TEST(InvariantsChangeTest, AChangeAlwaysSaysForWhatItWaits) {
  PlanCluster cluster = In(Status::STOPPING);
  v1::Decision decision = Decide(cluster.input);
  decision.mutable_rollout()->clear_reason();
  ExpectBroken(cluster.input, decision, "it is not said for what it waits");
}

}  // namespace
}  // namespace connect_ha
