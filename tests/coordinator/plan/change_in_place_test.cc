// Changes that stop nobody.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::minutes;
using Status = v1::RolloutStatus;

TEST(ChangeInPlace, StopsNobody) {
  PlanCluster cluster(2);
  ProposeNext(cluster, kNext, "file /var/lib/rstudio-connect/connect.lic", v1::Change::NOTHING);
  const v1::Decision begun = cluster.Step();
  EXPECT_EQ(begun.remember().generation(), kNext);
  EXPECT_EQ(begun.remember().rollout().kind(), v1::Rollout::IN_PLACE);
  EXPECT_EQ(begun.remember().rollout().from(), kGeneration);
  EXPECT_EQ(begun.remember().rollout().applied_by(), "admin/alice");
  EXPECT_EQ(begun.assignments(0).generation(), kGeneration);  // told once it is stored
  const v1::Decision done = GoTo(cluster, Status::DONE);
  EXPECT_EQ(StatesOf(done), "serving, serving");
  EXPECT_EQ(done.assignments(0).generation(), kNext);
  ASSERT_EQ(done.ended_size(), 1);
  EXPECT_EQ(done.ended(0).end(), v1::Rollout::DONE);
  EXPECT_EQ(cluster.Step().ended_size(), 0);  // once
}

TEST(ChangeInPlace, IsHaltedWhereANodeIsStuck) {
  PlanCluster cluster(2);
  ProposeNext(cluster, kNext, "package r-4.4.1", v1::Change::NOTHING);
  cluster.Step();
  cluster.Step();  // told
  v1::Convergence& convergence = *cluster.node(1).mutable_convergence();
  convergence.set_state(v1::Convergence::STUCK);
  v1::Trouble& trouble = *convergence.add_troubles();
  trouble.set_resource("package r-4.4.1");
  trouble.set_error("apt-get ended with 100");
  trouble.set_fix("apt-get -f install");
  v1::Decision decision = GoOn(cluster, minutes(20));
  EXPECT_EQ(decision.rollout().phase(), Status::IN_PLACE);
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-2: package r-4.4.1: apt-get ended"))
      << decision.rollout().reason();
  EXPECT_TRUE(StrContains(FixesOf(decision), "on node-2 (apt-get -f install)"))
      << FixesOf(decision);
  EXPECT_EQ(decision.rollout().nodes(0).step(), v1::RolloutStep::CHANGED);
  EXPECT_EQ(decision.rollout().nodes(1).step(), v1::RolloutStep::FAILED);
  EXPECT_TRUE(StrContains(decision.rollout().nodes(1).waits_for(), "apt-get ended with 100"));
  EXPECT_EQ(StatesOf(decision), "serving, serving");
  // It is tried again by itself.
  convergence.set_state(v1::Convergence::CONVERGED);
  convergence.clear_troubles();
  EXPECT_EQ(GoTo(cluster, Status::DONE).rollout().generation(), kNext);
}

TEST(ChangeInPlace, WaitsUntilEveryNodeThatIsHeardIsReady) {
  PlanCluster cluster(3);
  ProposeNext(cluster, kNext, "package r-4.4.1", v1::Change::NOTHING);
  cluster.node(1).mutable_staged()->set_ready(false);
  cluster.Lose(2);
  v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.rollout().phase(), Status::STAGING);
  EXPECT_EQ(decision.rollout().standing(), Status::GOES_ON);
  EXPECT_TRUE(StrContains(decision.rollout().reason(), "node-2")) << decision.rollout().reason();
  EXPECT_EQ(decision.remember().generation(), kGeneration);
  v1::Trouble& trouble = *cluster.node(1).mutable_staged()->add_troubles();
  trouble.set_resource("package r-4.4.1");
  trouble.set_error("the checksum differs");
  decision = cluster.Step();
  EXPECT_EQ(decision.rollout().standing(), Status::HALTED);
  EXPECT_TRUE(StrContains(FixesOf(decision), "connect-ha rollout abort"));
  cluster.node(1).mutable_staged()->set_ready(true);
  EXPECT_EQ(cluster.Step().remember().generation(), kNext);
}

TEST(ChangeInPlace, TakesHandsOffThoughPaused) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::PAUSE, "");
  ProposeNext(cluster, kNext, kConfigFile, v1::Change::RESTART);
  EXPECT_EQ(cluster.Step().remember().generation(), kGeneration);
  cluster.input.mutable_next()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_EQ(cluster.Step().remember().generation(), kNext);
  EXPECT_EQ(StatesOf(cluster.Step()), "observed, observed");
}

// It came too late for that, and is not of what differs later.
TEST(ChangeInPlace, AnAbortEndsWithItOnceItIsDone) {
  PlanCluster cluster(2);
  cluster.makes_changes = true;
  ProposeNext(cluster, kNext, "file /var/lib/rstudio-connect/connect.lic", v1::Change::NOTHING);
  cluster.Step();
  AbortIt(cluster);
  const v1::Decision done = GoTo(cluster, Status::DONE);
  ASSERT_EQ(done.ended_size(), 1);
  EXPECT_EQ(done.ended(0).end(), v1::Rollout::DONE);
  EXPECT_EQ(cluster.input.words_size(), 0);
  Differs(cluster, 1);
  GoUntil(cluster, 1, v1::DRAINING);
}

}  // namespace
}  // namespace connect_ha
