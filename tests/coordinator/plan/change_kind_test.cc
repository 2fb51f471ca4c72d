#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/next/kind.h"
#include "coordinator/plan/outlook.h"
#include "tests/coordinator/plan/next_spec.h"

namespace connect_ha {
namespace {

using v1::Rollout;

NextKind KindIn(const PlanCluster& cluster) { return KindOfNext(LookAt(cluster.input)); }

std::string Because(const NextKind& next) { return absl::StrJoin(next.because, "\n"); }

TEST(ChangeKind, IsNoneWhereThereIsNothingNewer) {
  const PlanCluster cluster(2);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::KIND_UNSPECIFIED);
}

TEST(ChangeKind, IsInPlaceWhereNoConnectIsStopped) {
  PlanCluster cluster(2);
  Propose(cluster);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  WouldChange(cluster, 0, "account deploy", v1::Change::NOTHING);
  WouldChange(cluster, 1, "file rstudio-connect.gcfg", v1::Change::RELOAD);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  EXPECT_EQ(Because(KindIn(cluster)), "");
}

TEST(ChangeKind, IsTheGreatestThatAnyNodeAsksFor) {
  PlanCluster cluster(3);
  Propose(cluster);
  WouldChange(cluster, 0, "file rstudio-connect.gcfg", v1::Change::RESTART);
  WouldChange(cluster, 2, "file rstudio-connect.gcfg", v1::Change::RESTART);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::ROLLING);
  EXPECT_EQ(Because(KindIn(cluster)),
            "node-1, node-3: file rstudio-connect.gcfg: Connect must be restarted");
  WouldChange(cluster, 1, "mount /mnt/connect", v1::Change::TOGETHER);
  const NextKind next = KindIn(cluster);
  EXPECT_EQ(next.kind, Rollout::TOGETHER);
  ASSERT_EQ(next.because.size(), 2u);
  EXPECT_EQ(next.because[0], "node-2: mount /mnt/connect: Connect must be stopped on all nodes");
  EXPECT_FALSE(next.migrates);
}

TEST(ChangeKind, CountsChangesThatThePlanIsNotGiven) {
  PlanCluster cluster(2);
  Propose(cluster);
  WouldChange(cluster, 0, "account deploy", v1::Change::NOTHING);
  cluster.node(0).mutable_staged()->set_needs(v1::Change::RESTART);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::ROLLING);
  EXPECT_TRUE(absl::StrContains(Because(KindIn(cluster)), "node-1: "));
}

TEST(ChangeKind, TakesAnOlderAgentByWhatItSaysIsInterrupted) {
  PlanCluster cluster(2);
  Propose(cluster);
  cluster.node(0).mutable_staged()->set_needs(v1::Change::NEEDS_UNSPECIFIED);
  v1::Change& change =
      WouldChange(cluster, 0, "file rstudio-connect.gcfg", v1::Change::NEEDS_UNSPECIFIED);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  change.set_interrupts("Connect must be restarted");
  EXPECT_EQ(KindIn(cluster).kind, Rollout::ROLLING);
  change.set_resource("package rstudio-connect");
  EXPECT_EQ(KindIn(cluster).kind, Rollout::TOGETHER);
}

TEST(ChangeKind, LeavesOutNodesThatRunNoConnect) {
  PlanCluster cluster(2);
  Propose(cluster);
  WouldChange(cluster, 1, "package rstudio-connect", v1::Change::TOGETHER);
  cluster.Bare(1);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  cluster.Brownfield(1);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::TOGETHER);
}

TEST(ChangeKind, StopsAllForAnotherVersionWhateverTheNodesSay) {
  PlanCluster cluster(2);
  ProposeVersion(cluster, "2024.11.0");
  const NextKind next = KindIn(cluster);
  EXPECT_EQ(next.kind, Rollout::TOGETHER);
  EXPECT_TRUE(next.migrates);
  EXPECT_TRUE(absl::StrContains(
      Because(next),
      "node-1, node-2: Connect 2024.08.0, to be 2024.11.0: Connect must be stopped"));
  EXPECT_EQ(next.refused, "");
  ProposeVersion(cluster, "2024.8.0");
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
}

TEST(ChangeKind, StopsAllForALostNodeOfAnotherVersion) {
  PlanCluster cluster(2);
  ProposeVersion(cluster, "2024.11.0");
  cluster.node(0).set_installed_version("2024.11.0");
  cluster.node(0).set_running_version("2024.11.0");
  cluster.Lose(1);
  const NextKind next = KindIn(cluster);
  EXPECT_EQ(next.kind, Rollout::TOGETHER);
  EXPECT_FALSE(next.migrates);  // node-1 has done so
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
}

// The coordinator was started while it was lost: it was found running something, and nothing is
// known of it.
TEST(ChangeKind, StopsAllForANodeThatMayRunWhatIsNotKnown) {
  PlanCluster cluster(2);
  cluster.input.mutable_spec()->mutable_connect()->set_version("2024.08.0");
  ProposeVersion(cluster, "2024.11.0");
  cluster.node(0).set_installed_version("2024.11.0");
  cluster.node(0).set_running_version("2024.11.0");
  cluster.Become(1, v1::OBSERVED);
  cluster.Lose(1);
  cluster.node(1).set_heard(false);
  cluster.node(1).clear_installed_version();
  cluster.node(1).clear_running_version();
  EXPECT_EQ(KindIn(cluster).kind, Rollout::TOGETHER);
  // It was to have that one already.
  cluster.input.mutable_spec()->mutable_connect()->set_version("2024.11.0");
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  cluster.input.mutable_spec()->mutable_connect()->clear_version();
  EXPECT_EQ(KindIn(cluster).kind, Rollout::TOGETHER);
}

TEST(ChangeKind, StopsAllWhereOnlyTheDatabaseWouldBeMigrated) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::STOPPED);
  cluster.Become(1, v1::STOPPED);
  cluster.input.mutable_memory()->mutable_database()->set_newest_version("2024.08.0");
  ProposeVersion(cluster, "2024.11.0");
  EXPECT_TRUE(KindIn(cluster).migrates);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::TOGETHER);
  // The first that ever runs migrates nothing.
  cluster.input.mutable_memory()->clear_database();
  EXPECT_FALSE(KindIn(cluster).migrates);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
}

TEST(ChangeKind, NamesNodesThatHaveNotSaid) {
  PlanCluster cluster(3);
  Propose(cluster);
  cluster.node(1).clear_staged();
  cluster.node(2).mutable_staged()->set_generation(kGeneration);
  EXPECT_EQ(absl::StrJoin(KindIn(cluster).unknown, ","), "node-2,node-3");
  cluster.Lose(1);
  EXPECT_EQ(absl::StrJoin(KindIn(cluster).unknown, ","), "node-3");
}

TEST(ChangeKind, IsRefusedForAVersionOlderThanWhatHasMigrated) {
  PlanCluster cluster(2);
  ProposeVersion(cluster, "2024.06.0");
  const NextKind next = KindIn(cluster);
  EXPECT_TRUE(absl::StrContains(next.refused, "2024.06.0 is older than 2024.08.0")) << next.refused;
  EXPECT_TRUE(absl::StrContains(next.fix, "rollout restored --version 2024.06.0")) << next.fix;
}

void AddR(v1::ClusterSpec& spec, const std::string& version) {
  spec.mutable_runtimes()->add_r()->set_version(version);
}

void Pin(PlanCluster& cluster, const std::string& runtime, const std::string& version,
         uint64_t items) {
  v1::PinnedRuntime& pinned = *cluster.input.add_pinned();
  pinned.set_runtime(runtime);
  pinned.set_version(version);
  pinned.set_items(items);
}

class RemovedRuntime : public ::testing::Test {
 protected:
  RemovedRuntime() : cluster(2) {
    AddR(*cluster.input.mutable_spec(), "4.1.3");
    AddR(*cluster.input.mutable_spec(), "4.3.3");
    v1::NextSpec& next = Propose(cluster);
    next.mutable_spec()->clear_runtimes();
    AddR(*next.mutable_spec(), "4.3.3");
  }

  PlanCluster cluster;
};

TEST_F(RemovedRuntime, IsRefusedWhileContentIsPinnedToIt) {
  Pin(cluster, "r", "4.3.3", 7);
  Pin(cluster, "python", "4.1.3", 7);
  EXPECT_EQ(KindIn(cluster).refused, "");
  Pin(cluster, "r", "4.1.3", 312);
  EXPECT_TRUE(absl::StrContains(KindIn(cluster).refused, "R 4.1.3: 312 items"));
  EXPECT_NE(KindIn(cluster).fix, "");
}

TEST_F(RemovedRuntime, IsToldWhereWhatIsPinnedIsNotKnown) {
  EXPECT_EQ(Because(KindIn(cluster)), "");
  cluster.input.set_pinned_unknown("no table of that name");
  EXPECT_EQ(KindIn(cluster).refused, "");
  EXPECT_TRUE(absl::StrContains(Because(KindIn(cluster)), "R 4.1.3"));
  EXPECT_TRUE(absl::StrContains(Because(KindIn(cluster)), "no table of that name"));
}

TEST_F(RemovedRuntime, IsRefusedWhereWhatIsPinnedIsNotKnownAndItWouldBeRemoved) {
  cluster.input.set_pinned_unknown("no table of that name");
  v1::RuntimesSpec& runtimes = *cluster.input.mutable_next()->mutable_spec()->mutable_runtimes();
  runtimes.set_prune(true);
  EXPECT_TRUE(absl::StrContains(KindIn(cluster).refused, "R 4.1.3")) << KindIn(cluster).refused;
  EXPECT_TRUE(absl::StrContains(KindIn(cluster).refused, "no table of that name"));
  EXPECT_TRUE(absl::StrContains(KindIn(cluster).fix, "runtimes.prune: false"));
  // Nobody could say yet.
  cluster.node(0).set_heard(false);
  EXPECT_EQ(KindIn(cluster).refused, "");
  cluster.node(0).set_heard(true);
  // All are being stopped for it: it was known.
  v1::Rollout& rollout = *cluster.input.mutable_memory()->mutable_rollout();
  rollout.set_generation(kNext);
  rollout.set_kind(v1::Rollout::TOGETHER);
  EXPECT_EQ(KindIn(cluster).refused, "");
  cluster.input.mutable_memory()->clear_rollout();
  runtimes.add_r()->set_version("4.1.3");
  EXPECT_EQ(KindIn(cluster).refused, "");
}

// What no list names is on a node's disk: it alone can tell.
TEST_F(RemovedRuntime, IsRefusedWhereANodeSaysThatContentIsPinnedToWhatGoes) {
  v1::Trouble& trouble = *cluster.node(1).mutable_staged()->add_troubles();
  trouble.set_resource("versions");
  trouble.set_error("content is pinned to what would be removed: /opt/R/4.0.5 (5 items)");
  trouble.set_fix("name it in cluster.yaml (runtimes)");
  EXPECT_EQ(KindIn(cluster).refused, "");
  cluster.input.mutable_next()->mutable_spec()->mutable_runtimes()->set_prune(true);
  EXPECT_EQ(KindIn(cluster).refused,
            "node-2: content is pinned to what would be removed: /opt/R/4.0.5 (5 items)");
  EXPECT_EQ(KindIn(cluster).fix, "name it in cluster.yaml (runtimes)");
}

TEST_F(RemovedRuntime, IsNoneWhereNoListIsGivenAnyMore) {
  Pin(cluster, "r", "4.1.3", 312);
  cluster.input.mutable_next()->mutable_spec()->clear_runtimes();
  EXPECT_EQ(KindIn(cluster).refused, "");
}

TEST(ChangeKind, OfOneThatOnlyObservesIsInPlaceAndNeverRefused) {
  PlanCluster cluster(2);
  ProposeVersion(cluster, "2024.06.0");
  cluster.input.mutable_next()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_EQ(KindIn(cluster).kind, Rollout::IN_PLACE);
  EXPECT_EQ(KindIn(cluster).refused, "");
}

TEST(ChangeKind, IsTheSameForASpecificationThatIsOnlyThoughtOf) {
  PlanCluster cluster(2);
  Propose(cluster).set_generation(0);
  WouldChange(cluster, 1, "file rstudio-connect.gcfg", v1::Change::RESTART);
  const v1::Outlook outlook = LookAhead(cluster.input);
  EXPECT_EQ(outlook.kind(), Rollout::ROLLING);
  EXPECT_EQ(outlook.unknown_size(), 0);
  ASSERT_EQ(outlook.because_size(), 1);
  EXPECT_EQ(outlook.because(0), "node-2: file rstudio-connect.gcfg: Connect must be restarted");
}

v1::Change& Differ(PlanCluster& cluster, int i, v1::Change::Needs needs) {
  v1::Convergence& convergence = *cluster.node(i).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  v1::Change& change = *convergence.add_changes();
  change.set_resource("file rstudio-connect.gcfg");
  change.set_needs(needs);
  return change;
}

TEST(ChangeNeeds, AreThoseOfTheGenerationInForce) {
  PlanCluster cluster(2);
  const auto needs = [&cluster] {
    const Situation situation = LookAt(cluster.input);
    return NeedsOf(situation, situation.members[0]);
  };
  EXPECT_EQ(needs(), v1::Change::NOTHING);
  Differ(cluster, 0, v1::Change::RESTART);
  EXPECT_EQ(needs(), v1::Change::RESTART);
  cluster.node(0).mutable_convergence()->set_needs(v1::Change::TOGETHER);
  EXPECT_EQ(needs(), v1::Change::TOGETHER);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::LOOKING);
  EXPECT_EQ(needs(), v1::Change::NEEDS_UNSPECIFIED);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  cluster.node(0).mutable_brief()->set_reported_generation(kGeneration - 1);
  EXPECT_EQ(needs(), v1::Change::NEEDS_UNSPECIFIED);
}

TEST(ChangeNeeds, AreDriftWhereTheNodeHadBeenAsItSays) {
  PlanCluster cluster(2);
  const auto is_drift = [&cluster] {
    const Situation situation = LookAt(cluster.input);
    return IsDrift(situation, situation.members[0]);
  };
  EXPECT_FALSE(is_drift());
  Differ(cluster, 0, v1::Change::RELOAD);
  EXPECT_FALSE(is_drift());
  Differ(cluster, 0, v1::Change::RESTART);
  EXPECT_TRUE(is_drift());
  cluster.memory(0).set_reached(kGeneration - 1);
  EXPECT_FALSE(is_drift());
}

}  // namespace
}  // namespace connect_ha
