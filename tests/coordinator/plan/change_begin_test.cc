#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/next/approval.h"
#include "coordinator/plan/next/begin.h"
#include "tests/coordinator/plan/begin_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using v1::Rollout;

bool AtOnce(const PlanCluster& cluster) {
  const Situation situation = LookAt(cluster.input);
  return BeginsAtOnce(situation, KindOfNext(situation));
}

std::string NotReady(const PlanCluster& cluster) {
  const Situation situation = LookAt(cluster.input);
  return WhyNotReady(situation, KindOfNext(situation));
}

std::string GoBack(const PlanCluster& cluster) {
  Situation situation = LookAt(cluster.input);
  return WhyGoBack(situation);
}

TEST(BeginAtOnce, WhereNothingIsEnforcedOrInForce) {
  PlanCluster cluster(2);
  EXPECT_FALSE(AtOnce(cluster));
  Propose(cluster);
  EXPECT_FALSE(AtOnce(cluster));
  cluster.input.mutable_next()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_TRUE(AtOnce(cluster));
  Propose(cluster);
  cluster.input.mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_TRUE(AtOnce(cluster));
  cluster.input.mutable_spec()->set_enforcement(v1::ENFORCE);
  cluster.input.set_generation(0);
  EXPECT_TRUE(AtOnce(cluster));
}

TEST(BeginAtOnce, WhereNoConnectRunsNorWouldMigrate) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::STOPPED);
  cluster.Bare(1);
  Propose(cluster);
  EXPECT_TRUE(AtOnce(cluster));
  cluster.node(0).set_heard(false);
  EXPECT_FALSE(AtOnce(cluster));
  cluster.node(0).set_heard(true);
  cluster.input.mutable_memory()->mutable_database()->set_newest_version("2024.08.0");
  ProposeVersion(cluster, "2024.11.0");
  EXPECT_FALSE(AtOnce(cluster));
  // It was started once, and did not come up.
  cluster.input.mutable_memory()->mutable_database()->set_newest_version("2024.11.0");
  EXPECT_FALSE(AtOnce(cluster));
  cluster.input.mutable_memory()->mutable_database()->set_right_version("2024.11.0");
  EXPECT_TRUE(AtOnce(cluster));
}

TEST(BeginAtOnce, IsForNothingThatIsRefused) {
  PlanCluster cluster(1);
  ProposeVersion(cluster, "2024.06.0");
  cluster.input.set_generation(0);
  EXPECT_FALSE(AtOnce(cluster));
}

TEST(BeginReady, TakesEveryNodeThatIsHeard) {
  PlanCluster cluster(3);
  Propose(cluster);
  EXPECT_EQ(NotReady(cluster), "");
  v1::Ahead& staged = *cluster.node(1).mutable_staged();
  staged.set_ready(false);
  EXPECT_EQ(NotReady(cluster), "node-2: it gets ready");
  v1::Trouble& trouble = *staged.add_troubles();
  trouble.set_resource("package r-4.4.1");
  trouble.set_error("2.1 GiB are needed, 800 MiB are free");
  EXPECT_EQ(NotReady(cluster), "node-2: package r-4.4.1: 2.1 GiB are needed, 800 MiB are free");
  cluster.node(2).clear_staged();
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-3: its agent has not said"));
}

TEST(BeginReady, DoesNotWaitForNodesThatAreLostOrStaleOrLeftAlone) {
  PlanCluster cluster(4);
  Propose(cluster);
  for (int i = 1; i < 4; ++i) cluster.node(i).clear_staged();
  cluster.Lose(1);
  cluster.Stale(2);
  cluster.node(3).mutable_brief()->set_claimants(2);
  EXPECT_EQ(NotReady(cluster), "");
}

// Content that needs it may land there.
TEST(BeginReady, WaitsForLostAndStaleNodesThatMayServeWhereARuntimeIsAdded) {
  PlanCluster cluster(4);
  cluster.input.mutable_spec()->mutable_runtimes()->add_python()->set_version("3.11.9");
  v1::RuntimesSpec& next = *Propose(cluster).mutable_spec()->mutable_runtimes();
  next = cluster.input.spec().runtimes();
  for (int i = 1; i < 4; ++i) cluster.node(i).clear_staged();
  cluster.Lose(1);
  cluster.Stale(2);
  cluster.Become(3, v1::STOPPED);
  cluster.Lose(3);
  EXPECT_EQ(NotReady(cluster), "");
  next.add_python()->set_version("3.12.4");
  EXPECT_TRUE(StrContains(NotReady(cluster), "rollout resume --skip-lost node-2 --reason"))
      << NotReady(cluster);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-3: its facts are late: it was not heard"))
      << NotReady(cluster);
  EXPECT_FALSE(StrContains(NotReady(cluster), "node-4")) << NotReady(cluster);
  cluster.Say(v1::Word::GONE, "node-2");
  cluster.Lose(2);
  cluster.Say(v1::Word::GONE, "node-3");
  EXPECT_EQ(NotReady(cluster), "");
}

TEST(BeginReady, WaitsForNodesThatWereNotHeardSinceTheStart) {
  PlanCluster cluster(2);
  Propose(cluster);
  cluster.node(1).set_heard(false);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: it was not heard since"));
}

TEST(BeginReady, NamesTheFirstFewOfMany) {
  PlanCluster cluster(6);
  Propose(cluster);
  for (int i = 0; i < 6; ++i) cluster.node(i).mutable_staged()->set_ready(false);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-3: it gets ready; and 3 more"));
}

TEST_F(Together, WaitsForALostNodeUntilItIsDeclaredGone) {
  EXPECT_EQ(NotReady(cluster), "");
  cluster.Lose(1);
  EXPECT_TRUE(StrContains(NotReady(cluster), "connect-ha approve 8 --skip-lost node-2"))
      << NotReady(cluster);
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(NotReady(cluster), "");
}

TEST_F(Together, WaitsForANodeThatWasNeverHeardOrIsAnotherOne) {
  v1::NodeBrief& brief = *cluster.node(1).mutable_brief();
  brief.clear_last_seen();
  cluster.node(1).set_heard(false);
  cluster.node(1).set_fresh(false);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: it was never heard"));
  *brief.mutable_last_seen() = cluster.input.now();
  cluster.node(1).set_heard(true);
  cluster.node(1).set_fresh(true);
  EXPECT_EQ(NotReady(cluster), "");
  brief.set_claimants(2);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: two live machines"));
}

TEST_F(Together, WaitsForANodeThatLetsNobodyStopConnect) {
  cluster.node(1).mutable_brief()->set_allow(v1::ALLOW_INSTALL);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: its agent.yaml lets nobody"));
}

TEST_F(Together, SaysHowANodeThatWasLetGoIsTakenBack) {
  cluster.Say(v1::Word::RELEASE, "node-2");
  EXPECT_TRUE(StrContains(NotReady(cluster), "connect-ha release --take-back node-2 --reason"))
      << NotReady(cluster);
}

// What the change itself puts right does not hold it up.
TEST_F(Together, DoesNotWaitForAConnectThatIsDown) {
  cluster.Rule(1, "service-is-healthy").set_outcome(v1::FAIL);
  cluster.Rule(1, "service-is-healthy").set_basis(v1::SELF);
  EXPECT_EQ(NotReady(cluster), "");
}

TEST_F(Together, DoesNotWaitForTheVersionThatItReplaces) {
  cluster.Rule(1, kVersionRule).set_outcome(v1::FAIL);
  cluster.Rule(1, kVersionRule).set_basis(v1::SELF);
  cluster.input.mutable_next()->mutable_spec()->mutable_connect()->clear_version();
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: connect-version-matches"));
  cluster.input.mutable_next()->mutable_spec()->mutable_connect()->set_version("2024.11.0");
  EXPECT_EQ(NotReady(cluster), "");
}

TEST_F(Together, WaitsForTheDatabase) {
  cluster.Rule(1, "database-is-writable").set_outcome(v1::UNKNOWN);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: database-is-writable"));
  // One whose Connect rests may have no configuration yet.
  cluster.Bare(1);
  EXPECT_EQ(NotReady(cluster), "");
  cluster.Rule(1, "database-reachable").set_outcome(v1::FAIL);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: database-reachable"));
}

// These are about users; a read-only database is none to migrate.
TEST_F(Together, WaitsForTheDatabaseWhateverThatRuleDoes) {
  cluster.Fail(1, "database-is-writable");
  (*cluster.input.mutable_spec()->mutable_rules())["database-is-writable"].set_action(v1::TELL);
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: database-is-writable: it is wrong"))
      << NotReady(cluster);
  cluster.input.mutable_spec()->clear_rules();
  cluster.Say(v1::Word::WAIVE, "").set_rule("database-is-writable");
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-2: database-is-writable: it is wrong"))
      << NotReady(cluster);
}

TEST_F(Together, WaitsWhileARuleActs) {
  cluster.Fail(0, "clocks-are-synchronised");
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-1: clocks-are-synchronised: it is wrong"));
}

// It takes nobody out of service, and would keep whoever is stopped from entering it again.
TEST_F(Together, WaitsWhileARuleFailsWhereConnectItselfIsAsked) {
  cluster.input.mutable_spec()->mutable_load_balancer()->set_health_check(
      v1::LoadBalancerSpec::CONNECT);
  cluster.Fail(0, "clocks-are-synchronised");
  EXPECT_TRUE(StrContains(NotReady(cluster), "node-1: clocks-are-synchronised: it is wrong"));
  cluster.Rule(0, "clocks-are-synchronised").set_undecided(true);
  EXPECT_EQ(NotReady(cluster), "");
}

TEST_F(Together, TakesAPersonsApprovalOfThatGeneration) {
  EXPECT_TRUE(StrContains(ApprovalOf(cluster).why, "connect-ha approve 8"));
  ApproveIt(cluster, kGeneration);
  EXPECT_NE(ApprovalOf(cluster).why, "");
  ApproveIt(cluster).set_role(v1::VIEWER);
  EXPECT_NE(ApprovalOf(cluster).why, "");
  ApproveIt(cluster).set_role(v1::OPERATOR);
  EXPECT_EQ(ApprovalOf(cluster).why, "");
  EXPECT_EQ(ApprovalOf(cluster).by, "admin/alice");
}

TEST(BeginApproved, TakesNoApprovalWhereNodesGoOneAfterTheOther) {
  PlanCluster cluster(2);
  Propose(cluster);
  WouldChange(cluster, 0, "file rstudio-connect.gcfg", v1::Change::RESTART);
  EXPECT_EQ(ApprovalOf(cluster).why, "");
  EXPECT_EQ(ApprovalOf(cluster).by, "");
}

TEST_F(Together, WaitsForTheWindowUnlessAPersonDoesNot) {
  SetWindow(cluster, 30, 150);
  ApproveIt(cluster);
  const Approval waits = ApprovalOf(cluster);
  EXPECT_TRUE(StrContains(waits.why, "Sun 02:00-04:00 UTC, which opens at")) << waits.why;
  EXPECT_EQ(waits.wake, FromProto(cluster.input.window().opens()));
  ApproveIt(cluster).set_now(true);
  EXPECT_EQ(ApprovalOf(cluster).by, "admin/alice");
}

TEST_F(Together, NeverBeginsInAWindowThatCannotBeRead) {
  cluster.input.mutable_window()->set_text("Sun 02:00-04:00 Mars/Olympus");
  ApproveIt(cluster);
  const Approval waits = ApprovalOf(cluster);
  EXPECT_TRUE(StrContains(waits.why, "Mars/Olympus to be readable")) << waits.why;
  EXPECT_TRUE(StrContains(waits.why, "connect-ha approve 8 --now"));
  EXPECT_FALSE(StrContains(waits.why, "1970"));
  Begin();
  EXPECT_TRUE(StrContains(GoBack(cluster), "Mars/Olympus to be readable")) << GoBack(cluster);
  ApproveIt(cluster).set_now(true);
  EXPECT_EQ(ApprovalOf(cluster).by, "admin/alice");
  EXPECT_EQ(GoBack(cluster), "");
}

TEST_F(Together, IsApprovedByAnOpenWindowAlone) {
  SetWindow(cluster, -10, 110);
  EXPECT_EQ(ApprovalOf(cluster).by, "maintenance window Sun 02:00-04:00 UTC");
  EXPECT_EQ(ApprovalOf(cluster).why, "");
  ApproveIt(cluster);
  EXPECT_EQ(ApprovalOf(cluster).by, "admin/alice");
}

TEST_F(Together, IsNotBegunInWhatIsLeftOfAWindow) {
  SetWindow(cluster, -100, 10);
  EXPECT_TRUE(StrContains(ApprovalOf(cluster).why, "the next time of")) << ApprovalOf(cluster).why;
  ApproveIt(cluster);
  EXPECT_NE(ApprovalOf(cluster).why, "");
  // It takes less than was thought: five minutes to drain, and twice one minute.
  v1::StepSpan& span = *cluster.input.mutable_memory()->add_spans();
  span.set_kind(Rollout::TOGETHER);
  span.set_step(v1::RolloutStep::CHANGING);
  span.set_us(60'000'000);
  EXPECT_EQ(ApprovalOf(cluster).why, "");
}

TEST_F(Together, GoesOnWhileItIsApproved) {
  EXPECT_EQ(GoBack(cluster), "");  // not begun
  Begin();
  ApproveIt(cluster);
  EXPECT_EQ(GoBack(cluster), "");
  cluster.TakeBack(v1::Word::APPROVE);
  EXPECT_EQ(GoBack(cluster), "its approval was taken back");
  cluster.input.mutable_memory()->mutable_rollout()->mutable_in_force_at()->set_seconds(1);
  EXPECT_EQ(GoBack(cluster), "");
}

TEST_F(Together, GoesBackOnAPersonsWordOrForANewerGeneration) {
  Begin();
  ApproveIt(cluster);
  cluster.Say(v1::Word::PAUSE, "");
  EXPECT_TRUE(StrContains(GoBack(cluster), "paused by admin/alice"));
  cluster.TakeBack(v1::Word::PAUSE);
  cluster.Say(v1::Word::ABORT, "").set_generation(kNext);
  EXPECT_TRUE(StrContains(GoBack(cluster), "aborted by admin/alice"));
  cluster.TakeBack(v1::Word::ABORT);
  cluster.input.mutable_next()->set_generation(kNext + 1);
  EXPECT_EQ(GoBack(cluster), "a newer generation takes its place");
}

TEST_F(Together, GoesOnInAWindowUntilItEnds) {
  Begin();
  SetWindow(cluster, -100, 1);
  EXPECT_EQ(GoBack(cluster), "");
  cluster.Wait(std::chrono::minutes(1));
  EXPECT_TRUE(StrContains(GoBack(cluster), "is over"));
  ApproveIt(cluster).set_now(true);
  EXPECT_EQ(GoBack(cluster), "");
}

}  // namespace
}  // namespace connect_ha
