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
  const PlanCluster alone = ToBeRestarted(1);
  EXPECT_EQ(LookAhead(alone.input).text(), "a rolling restart, with fewer than 1 node serving");
  EXPECT_EQ(LookAhead(alone.input).needs(), "connect-ha approve 8 --allow-downtime");

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

// Enforcement does not begin with a stop.
TEST(ChangeOutlook, SaysThatWhatRunsOtherwiseStaysObservedAtFirst) {
  PlanCluster cluster = ToBeRestarted(2);
  cluster.input.mutable_spec()->set_enforcement(v1::OBSERVE);
  for (const int i : {0, 1}) cluster.Brownfield(i);
  EXPECT_EQ(LookAhead(cluster.input).text(),
            "it is put into force at once; where Connect has to be stopped for it, the node stays "
            "observed");
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(decision.remember().generation(), kNext);
  EXPECT_EQ(StatesOf(decision), "observed, observed");
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), kConfigFile));
  EXPECT_TRUE(StrContains(decision.assignments(0).waits_for(), "connect-ha node drain node-1"));
  // As it says.
  cluster.Say(v1::Word::DRAIN, "node-1");
  GoUntil(cluster, 0, v1::READY);
  cluster.TakeBack(v1::Word::DRAIN);
  EXPECT_EQ(StatesOf(GoOn(cluster, minutes(5))), "serving, observed");
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

// Each agent says it with its next heartbeat, but for one that never does.
TEST(ChangeStatus, SaysThatAnAgentMayBeTooOldOnceItHasHadTheTime) {
  PlanCluster cluster = ToBeUpgraded(2);
  cluster.node(1).clear_staged();
  const std::string early = cluster.Step().rollout().reason();
  EXPECT_TRUE(StrContains(early, "node-2: its agent has not said whether it is ready")) << early;
  EXPECT_FALSE(StrContains(early, "older release")) << early;
  const std::string late = GoOn(cluster, minutes(2)).rollout().reason();
  EXPECT_TRUE(StrContains(late, "older release never does: upgrade connect-ha-agent")) << late;
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

// Another coordinator has taken the store up, and node i has not called it yet.
v1::Decision NotHeardSince(PlanCluster& cluster, int i) {
  cluster.Restart();
  cluster.node(i).set_heard(false);
  cluster.node(i).set_fresh(false);
  return cluster.Step();
}

TEST(ChangeStatus, HasNobodyDeclaredGoneWhoseCallIsAwaited) {
  for (const Status::Phase phase : {Status::STOPPING, Status::FIRST}) {
    for (const int unheard : {0, 2}) {
      PlanCluster cluster = ToBeUpgraded(3);
      for (int i = 0; i < 3; ++i) cluster.node(i).set_jobs(2);
      ApproveIt(cluster);
      GoTo(cluster, phase);
      v1::Decision decision = NotHeardSince(cluster, unheard);
      EXPECT_EQ(decision.rollout().phase(), phase);
      EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
      EXPECT_TRUE(StrContains(decision.rollout().reason(), "since the coordinator started"))
          << decision.rollout().reason();
      EXPECT_FALSE(StrContains(FixesOf(decision), "--skip-lost")) << FixesOf(decision);
      cluster.Lose(unheard);
      decision = cluster.Step();
      const bool is_said = StrContains(FixesOf(decision), "--skip-lost");
      EXPECT_EQ(is_said, phase == Status::STOPPING || unheard == 0) << FixesOf(decision);
    }
  }
}

// The store was put back to what it was some orders ago.
TEST(ChangeStatus, OfAnOlderStoreItSaysWhatHasNodesMovedAgain) {
  for (const Status::Phase phase : {Status::STOPPING, Status::FIRST, Status::REST}) {
    PlanCluster cluster = ToBeUpgraded(3);
    for (int i = 0; i < 3; ++i) cluster.node(i).set_jobs(2);
    ApproveIt(cluster);
    GoTo(cluster, phase);
    cluster.node(0).mutable_obeys()->set_epoch(kEpoch + 1);
    cluster.node(0).mutable_obeys()->set_serial(1000);
    const v1::Decision decision = cluster.Step();
    EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "the store is an older copy"));
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha apply")) << FixesOf(decision);
    EXPECT_FALSE(StrContains(FixesOf(decision), "--skip-lost")) << FixesOf(decision);
  }
  PlanCluster staged = ToBeUpgraded(2);
  staged.node(0).mutable_obeys()->set_epoch(kEpoch + 1);
  const v1::Decision decision = staged.Step();
  EXPECT_EQ(decision.rollout().phase(), Status::STAGING);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha apply"));
}

// Neither the days before it, nor a drain that is over.
TEST(ChangeStatus, CountsFromItsBeginning) {
  PlanCluster in_place(2);
  Took(in_place, v1::Rollout::IN_PLACE, v1::RolloutStep::CHANGING, 60);
  ProposeNext(in_place, kNext, "package r-4.4.1", v1::Change::NOTHING);
  in_place.Step();
  in_place.Step();
  in_place.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  in_place.Wait(std::chrono::seconds(20));
  v1::Decision decision = in_place.Decide();
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::CHANGING);
  EXPECT_EQ(in_place.input.now().seconds() - decision.rollout().nodes(0).since().seconds(), 20);
  EXPECT_EQ(decision.rollout().nodes(0).left_us(), 40'000'000);
  EXPECT_EQ(decision.rollout().left_us(), 40'000'000);

  PlanCluster together = ToBeUpgraded(3);
  ApproveIt(together);
  Took(together, v1::Rollout::TOGETHER, v1::RolloutStep::CHANGING, 30);
  Took(together, v1::Rollout::TOGETHER, v1::RolloutStep::STARTING, 60);
  decision = GoTo(together, Status::FIRST);
  const int64_t passed =
      together.input.now().seconds() - decision.rollout().begun().in_force_at().seconds();
  EXPECT_EQ(decision.rollout().left_us(), (180 - passed) * 1'000'000);  // without the drain
}

// It is prepared, and a rule keeps it from being started: that is in the way, and not the node.
TEST(ChangeStatus, SaysWhatKeepsOneThatIsReadyFromBeingStarted) {
  PlanCluster cluster = ToBeUpgraded(2);
  ApproveIt(cluster);
  GoTo(cluster, Status::FIRST);
  v1::NodeRule& line = cluster.Rule(0, "data-dir-is-shared");
  line.set_outcome(v1::UNKNOWN);
  line.set_basis(v1::SELF);
  line.set_text("its beacon was not seen");
  GoUntil(cluster, 0, v1::READY);
  const v1::Decision decision = GoOn(cluster, minutes(11));
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_EQ(decision.rollout().reason(),
            "node-1: it takes more than 10m: data-dir-is-shared: its beacon was not seen");
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha waive data-dir-is-shared --until"))
      << FixesOf(decision);
}

// Whichever of them comes first among the members.
TEST(ChangeStatus, OfTwoThatEndAStepTogetherTheLongerCounts) {
  for (const int longer : {1, 2}) {
    PlanCluster cluster = ToBeUpgraded(3);
    ApproveIt(cluster);
    GoTo(cluster, Status::REST);
    GoUntil(cluster, 1, v1::PREPARING);
    for (const int i : {1, 2}) {
      ASSERT_EQ(cluster.memory(i).state(), v1::PREPARING);
      v1::NodeMemory& memory = cluster.memory(i);
      memory.mutable_since()->set_seconds(cluster.input.now().seconds() - (i == longer ? 180 : 60));
    }
    const v1::Decision decision = cluster.Step();
    ASSERT_EQ(StatesOf(decision), "serving, ready, ready");
    bool is_known = false;
    for (const v1::StepSpan& span : decision.remember().spans()) {
      if (span.kind() != v1::Rollout::TOGETHER) continue;
      if (span.step() != v1::RolloutStep::CHANGING) continue;
      is_known = true;
      EXPECT_EQ(span.us(), 180'000'000) << longer;
    }
    EXPECT_TRUE(is_known);
  }
}

// While no coordinator looked the step may have ended long ago: a window would be too short for it.
TEST(ChangeStatus, AStepOfAnEarlierCoordinatorIsNotTimed) {
  PlanCluster cluster = ToBeUpgraded(3);
  ApproveIt(cluster);
  GoTo(cluster, Status::REST);
  GoUntil(cluster, 1, v1::PREPARING);
  for (const int i : {1, 2}) {
    cluster.memory(i).mutable_since()->set_seconds(cluster.input.now().seconds() - 3 * 3600);
  }
  cluster.Restart();
  const v1::Decision decision = cluster.Step();
  ASSERT_EQ(StatesOf(decision), "serving, ready, ready");
  for (const v1::StepSpan& span : decision.remember().spans()) {
    EXPECT_LT(span.us(), 3'600'000'000) << v1::RolloutStep::Step_Name(span.step());
  }
}

TEST(ChangeStatus, SaysWhyNobodyGoesFirst) {
  PlanCluster cluster = ToBeUpgraded(2);
  ApproveIt(cluster);
  GoTo(cluster, Status::STOPPING);
  for (const char* name : {"node-1", "node-2"}) {
    cluster.Say(v1::Word::STOP, name).set_downtime(true);
  }
  const v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(decision.rollout().phase(), Status::STOPPING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(),
                          "none may go first: node-1: stopped by admin/alice: a test; node-2: "))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1"));
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout abort"));
  cluster.TakeBack(v1::Word::STOP);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

TEST(ChangeStatus, SaysWhyNobodyServesAgain) {
  PlanCluster cluster = ToBeUpgraded(2);
  ApproveIt(cluster);
  GoTo(cluster, Status::REST);
  for (const char* name : {"node-1", "node-2"}) {
    v1::Word& word = cluster.Say(v1::Word::STOP, name);
    word.set_now(true);
    word.set_downtime(true);
  }
  const v1::Decision decision = GoOn(cluster, minutes(5));
  EXPECT_EQ(StatesOf(decision), "stopped, stopped");
  EXPECT_EQ(decision.rollout().phase(), Status::REST);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "a node that serves: node-1: stopped by"))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1"));
  cluster.TakeBack(v1::Word::STOP);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving");
}

// Nobody is left to be changed, and one that was is out again.
TEST(ChangeStatus, SaysWhatKeepsItFromItsEnd) {
  PlanCluster cluster = ToBeRestarted(3);
  GoUntil(cluster, 2, v1::DRAINING);
  cluster.Fail(0, "storage-is-mounted");
  const v1::Decision decision = GoOn(cluster, minutes(30));
  EXPECT_EQ(StatesOf(decision), "fenced, serving, serving");
  EXPECT_EQ(decision.rollout().phase(), Status::ROLLING);
  EXPECT_EQ(decision.rollout().standing(), Status::WAITS);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-1: storage-is-mounted: it is wrong"))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha checklist"));
  v1::NodeRule& line = cluster.Rule(0, "storage-is-mounted");
  line.set_outcome(v1::PASS);
  line.mutable_since()->set_seconds(cluster.input.now().seconds() - 3600);
  EXPECT_EQ(StatesOf(GoTo(cluster, Status::DONE)), "serving, serving, serving");
}

// What is done to nodes meanwhile is of the one that is under way, whatever becomes of the newer.
TEST(ChangeStatus, ShowsTheOneUnderWayBesideTheOneToCome) {
  const auto shows = [](const char* what, auto say, Status::Phase phase) {
    PlanCluster cluster = ToBeRestarted(2);
    cluster.input.mutable_spec()->mutable_connect()->set_version(kOldVersion);
    cluster.input.mutable_next()->mutable_spec()->mutable_connect()->set_version(kOldVersion);
    GoUntil(cluster, 0, v1::READY);
    cluster.Step();
    FailToStart(cluster, 0, "Servr.Address is unknown");
    GoOn(cluster, minutes(5));
    ProposeVersionNext(cluster, kNext + 1, kNewVersion);
    say(cluster);
    const v1::Decision decision = GoOn(cluster, minutes(1));
    const Status& status = decision.rollout();
    EXPECT_EQ(status.generation(), kNext) << what;
    EXPECT_EQ(status.phase(), Status::ROLLING) << what;
    EXPECT_EQ(status.standing(), Status::HALTED) << what;
    EXPECT_TRUE(StrContains(status.reason(), "Servr.Address")) << what << status.reason();
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha node start node-1")) << what;
    EXPECT_EQ(status.nodes(0).step(), v1::RolloutStep::FAILED) << what;
    EXPECT_EQ(status.begun().generation(), kNext) << what;
    EXPECT_EQ(status.next().generation(), kNext + 1) << what;
    EXPECT_EQ(status.next().phase(), phase) << what;
    EXPECT_NE(status.next().reason(), "") << what;
  };
  shows(
      "awaits approval", [](PlanCluster&) {}, Status::AWAITING);
  shows(
      "aborted", [](PlanCluster& c) { AbortIt(c, kNext + 1); }, Status::ABORTED);
  shows(
      "refused",
      [](PlanCluster& c) {
        c.input.mutable_next()->mutable_spec()->mutable_connect()->set_version("2024.06.0");
      },
      Status::REFUSED);
}

// For programs, which have no other table beside it.
TEST(ChangeStatus, HasEachNodesState) {
  PlanCluster cluster = ToBeRestarted(2);
  const v1::Decision decision = GoUntil(cluster, 0, v1::DRAINING);
  const v1::RolloutStep& step = decision.rollout().nodes(0);
  EXPECT_EQ(step.state(), v1::DRAINING);
  EXPECT_EQ(step.reported_state(), v1::SERVING);
  EXPECT_FALSE(step.closed());
  EXPECT_FALSE(decision.rollout().has_next());
  EXPECT_TRUE(GoUntil(cluster, 0, v1::SERVING).rollout().nodes(0).closed());
}

// What is left does not go on by itself.
TEST(ChangeStatus, SaysWhyNobodyIsChanged) {
  for (const bool alone : {true, false}) {
    PlanCluster cluster = ToBeRestarted(alone ? 1 : 2);
    if (!alone) cluster.Lose(1);
    v1::Decision decision = GoOn(cluster, minutes(20));
    EXPECT_EQ(decision.assignments(0).state(), v1::SERVING) << alone;
    EXPECT_EQ(decision.rollout().phase(), Status::ROLLING) << alone;
    EXPECT_EQ(decision.rollout().standing(), Status::WAITS) << alone;
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-1: a change: file")) << alone;
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "so few others serve: 0, it takes 1"))
        << decision.rollout().reason();
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha approve 8 --allow-downtime"))
        << FixesOf(decision);
    ApproveIt(cluster).set_downtime(true);
    EXPECT_EQ(GoTo(cluster, Status::DONE).rollout().generation(), kNext) << alone;
  }
}

// Nobody is to be declared gone for that: one has to apply something.
TEST(ChangeStatus, SaysThatTheStoreIsAnOlderCopy) {
  for (const Status::Phase phase : {Status::STAGING, Status::STOPPING, Status::FIRST}) {
    PlanCluster cluster = ToBeUpgraded(2);
    if (phase != Status::STAGING) ApproveIt(cluster);
    if (phase != Status::STAGING) GoTo(cluster, phase);
    cluster.node(0).mutable_obeys()->set_serial(999);
    const v1::Decision decision = GoOn(cluster, minutes(1));
    EXPECT_EQ(decision.rollout().phase(), phase);
    EXPECT_EQ(decision.rollout().standing(), Status::HALTED) << Status::Phase_Name(phase);
    EXPECT_TRUE(StrContains(decision.rollout().reason(), "the store is an older copy"));
    EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha apply")) << FixesOf(decision);
    EXPECT_FALSE(StrContains(FixesOf(decision), "--skip-lost")) << FixesOf(decision);
  }
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
