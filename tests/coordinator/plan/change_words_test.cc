// What people say of the whole cluster, and a store that does not know what nodes hold.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/words/said.h"
#include "tests/coordinator/plan/next_spec.h"

namespace connect_ha {
namespace {

using absl::StrContains;

const v1::Word* Latest(const Situation& situation, v1::Word::Kind kind, uint64_t generation = 0) {
  return ClusterWord(situation.words, kind, generation);
}

bool HasEnded(const Situation& situation, const v1::Word& word) {
  const auto& ended = situation.words.ended;
  return std::find(ended.begin(), ended.end(), word.number()) != ended.end();
}

TEST(ClusterWords, AreFoundByKindAndGeneration) {
  PlanCluster cluster(2);
  Propose(cluster);
  cluster.Say(v1::Word::PAUSE, "");
  cluster.Say(v1::Word::APPROVE, "").set_generation(kNext);
  cluster.Say(v1::Word::APPROVE, "").set_generation(kNext);
  cluster.Say(v1::Word::ABORT, "").set_generation(kGeneration);
  const Situation situation = LookAt(cluster.input);
  ASSERT_NE(Latest(situation, v1::Word::PAUSE), nullptr);
  ASSERT_NE(Latest(situation, v1::Word::APPROVE, kNext), nullptr);
  EXPECT_EQ(Latest(situation, v1::Word::APPROVE, kNext)->number(), 3u);
  EXPECT_EQ(Latest(situation, v1::Word::APPROVE, kGeneration), nullptr);
  EXPECT_NE(Latest(situation, v1::Word::ABORT, kGeneration), nullptr);
  EXPECT_EQ(Latest(situation, v1::Word::ABORT, kNext), nullptr);
  EXPECT_EQ(Latest(situation, v1::Word::RESTORED), nullptr);
  EXPECT_TRUE(situation.words.ended.empty());
}

TEST(ClusterWords, EndWithTheirGeneration) {
  PlanCluster cluster(2);
  Propose(cluster).set_generation(kNext + 1);
  v1::Word& approved = cluster.Say(v1::Word::APPROVE, "");
  approved.set_generation(kNext);
  const Situation situation = LookAt(cluster.input);
  EXPECT_TRUE(HasEnded(situation, cluster.input.words(0)));
  EXPECT_EQ(Latest(situation, v1::Word::APPROVE, kNext), nullptr);
}

// Who takes an abort back has it approved anew.
TEST(ClusterWords, AnAbortEndsTheApprovalsBeforeIt) {
  PlanCluster cluster(2);
  Propose(cluster);
  cluster.Say(v1::Word::APPROVE, "").set_generation(kNext);
  cluster.Say(v1::Word::APPROVE, "").set_generation(kGeneration);
  cluster.Say(v1::Word::ABORT, "").set_generation(kNext);
  cluster.Say(v1::Word::APPROVE, "").set_generation(kNext);
  const Situation situation = LookAt(cluster.input);
  EXPECT_TRUE(HasEnded(situation, cluster.input.words(0)));
  EXPECT_FALSE(HasEnded(situation, cluster.input.words(1)));
  EXPECT_FALSE(HasEnded(situation, cluster.input.words(2)));
  ASSERT_NE(Latest(situation, v1::Word::APPROVE, kNext), nullptr);
  EXPECT_EQ(Latest(situation, v1::Word::APPROVE, kNext)->number(), cluster.input.words(3).number());
}

TEST(ClusterWords, CountOnlyFromThoseWhoMaySaySo) {
  PlanCluster cluster(2);
  Propose(cluster);
  v1::Word& approval = cluster.Say(v1::Word::APPROVE, "");
  approval.set_generation(kNext);
  approval.set_downtime(true);
  approval.set_role(v1::VIEWER);
  {
    Situation situation = LookAt(cluster.input);
    EXPECT_EQ(Latest(situation, v1::Word::APPROVE, kNext), nullptr);
    SayIdle(situation);
    ASSERT_EQ(situation.said.size(), 1u);
    EXPECT_TRUE(StrContains(situation.said[0].text(), "it takes an operator"));
    EXPECT_TRUE(StrContains(situation.said[0].fix(), "connect-ha approve 8"));
  }
  cluster.input.mutable_words(0)->set_role(v1::OPERATOR);
  {
    const Situation situation = LookAt(cluster.input);
    ASSERT_NE(Latest(situation, v1::Word::APPROVE, kNext), nullptr);
    EXPECT_FALSE(AllowsDowntime(*Latest(situation, v1::Word::APPROVE, kNext)));
  }
  cluster.input.mutable_words(0)->set_role(v1::ADMIN);
  EXPECT_TRUE(AllowsDowntime(cluster.input.words(0)));
}

TEST(ClusterWords, ThatPermitForATimeEndWhereTheClockRanBack) {
  PlanCluster cluster(2);
  Propose(cluster);
  v1::Word& approval = cluster.Say(v1::Word::APPROVE, "");
  approval.set_generation(kNext);
  approval.mutable_until()->set_seconds(cluster.input.now().seconds() + 3600);
  *cluster.input.mutable_memory()->mutable_clock() = cluster.input.now();
  EXPECT_NE(Latest(LookAt(cluster.input), v1::Word::APPROVE, kNext), nullptr);
  cluster.input.mutable_now()->set_seconds(cluster.input.now().seconds() - 600);
  EXPECT_EQ(Latest(LookAt(cluster.input), v1::Word::APPROVE, kNext), nullptr);
}

TEST(NewestGeneration, IsWhatAnOlderStoreIsComparedWith) {
  PlanCluster cluster(2);
  Propose(cluster);
  cluster.node(0).mutable_obeys()->set_serial(9);
  EXPECT_EQ(LookAt(cluster.input).restored_generation, kNext);
  cluster.input.mutable_memory()->mutable_restored_at()->set_seconds(1);
  cluster.input.mutable_memory()->set_restored_generation(kNext);
  EXPECT_TRUE(LookAt(cluster.input).restored_at.has_value());
  // Applied since, and not in force yet.
  cluster.input.mutable_next()->set_generation(kNext + 1);
  const Situation situation = LookAt(cluster.input);
  EXPECT_FALSE(situation.restored_at.has_value());
  EXPECT_EQ(situation.members[0].stays, "");
}

TEST(NewestGeneration, HasANodeThatIsClosedLookedAtBeforeItOpens) {
  PlanCluster cluster(2);
  Propose(cluster).set_generation(kNext + 1);
  cluster.input.mutable_memory()->mutable_restored_at()->set_seconds(1);
  cluster.input.mutable_memory()->set_restored_generation(kNext);
  for (int i = 0; i < 2; ++i) cluster.node(i).mutable_obeys()->set_serial(9);
  cluster.node(0).set_gate(v1::GATE_CLOSED);
  const Situation situation = LookAt(cluster.input);
  EXPECT_TRUE(situation.members[0].memory.closed());
  EXPECT_FALSE(situation.members[1].memory.closed());
}

TEST(NewestGeneration, ComesBeforeWhatANodeHoldsIsTakenBack) {
  PlanCluster cluster(2);
  Propose(cluster).set_generation(kNext + 1);
  cluster.node(0).mutable_brief()->set_reported_generation(kNext);
  EXPECT_TRUE(HoldsNewer(cluster.input, cluster.input.nodes(0)));
  EXPECT_FALSE(HoldsNewer(cluster.input, cluster.input.nodes(1)));
  {
    const Situation situation = LookAt(cluster.input);
    EXPECT_TRUE(StrContains(situation.members[0].stays, "generation 9, applied since"));
    EXPECT_FALSE(situation.members[0].left_alone);
    EXPECT_EQ(situation.members[1].stays, "");
  }
  // Once it stops all nodes, that one, too.
  v1::Rollout& rollout = *cluster.input.mutable_memory()->mutable_rollout();
  rollout.set_generation(kNext + 1);
  rollout.set_kind(v1::Rollout::TOGETHER);
  EXPECT_EQ(LookAt(cluster.input).members[0].stays, "");
  // An order of another store's generation says nothing of this one.
  rollout.Clear();
  cluster.node(0).set_own_lineage(false);
  EXPECT_EQ(LookAt(cluster.input).members[0].stays, "");
}

}  // namespace
}  // namespace connect_ha
