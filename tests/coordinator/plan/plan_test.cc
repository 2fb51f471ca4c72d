#include "coordinator/plan/plan.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "absl/strings/match.h"

namespace connect_ha {
namespace {

constexpr uint64_t kGeneration = 7;

v1::Desired Desired(v1::Enforcement enforcement, uint64_t generation = kGeneration) {
  v1::Desired desired;
  desired.set_generation(generation);
  desired.mutable_spec()->set_enforcement(enforcement);
  desired.mutable_applied_at()->set_seconds(1722500000);
  return desired;
}

std::shared_ptr<const v1::Convergence> Converging(v1::Convergence::State state,
                                                  uint64_t generation) {
  v1::Convergence convergence;
  convergence.set_state(state);
  convergence.set_generation(generation);
  return std::make_shared<const v1::Convergence>(convergence);
}

Reported Node(v1::NodeState state, uint64_t generation,
              v1::Convergence::State convergence = v1::Convergence::STATE_UNSPECIFIED) {
  Reported node;
  node.state = state;
  node.generation = generation;
  if (convergence != v1::Convergence::STATE_UNSPECIFIED) {
    node.convergence = Converging(convergence, generation);
  }
  return node;
}

google::protobuf::Timestamp At(int64_t seconds) {
  google::protobuf::Timestamp at;
  at.set_seconds(seconds);
  return at;
}

TEST(PlanTest, WhatIsNotReadOfTheUnitIsUnknown) {
  v1::Facts facts;
  facts.mutable_connect()->mutable_unit()->set_active_state("active");
  EXPECT_EQ(LookAtUnit(facts).unknown, "");
  EXPECT_TRUE(LookAtUnit(facts).exists);
  EXPECT_EQ(LookAtUnit(facts).state, "active");
  v1::Unobserved& unobserved = *facts.add_unobserved();
  unobserved.set_path("connect");
  unobserved.set_reason("systemd does not answer");
  EXPECT_EQ(LookAtUnit(facts).unknown, "connect not observed: systemd does not answer");
}

// The store was restored from an older copy.
TEST(PlanTest, ANodeIsAheadOfWhatWasNotAppliedSince) {
  Reported forked = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  forked.applied_at = At(1722500001);
  const Reported newer = Node(v1::READY, kGeneration + 1, v1::Convergence::CONVERGED);
  for (const Reported& node : {forked, newer}) {
    for (const v1::Enforcement enforcement : {v1::ENFORCE, v1::OBSERVE}) {
      EXPECT_TRUE(IsAhead(Desired(enforcement), node));
      EXPECT_TRUE(absl::StrContains(WhyLeftAlone(Desired(enforcement), node),
                                    "connect-ha apply puts one above it"));
    }
  }
  EXPECT_TRUE(IsAhead(Desired(v1::ENFORCE, 0), newer));
  forked.applied_at = At(1722500000);
  EXPECT_EQ(WhyLeftAlone(Desired(v1::ENFORCE), forked), "");
  forked.applied_at.reset();  // an agent that does not say it
  EXPECT_EQ(WhyLeftAlone(Desired(v1::ENFORCE), forked), "");
}

// Numbers of another store mean nothing here, whichever is greater.
TEST(PlanTest, ANodeOfAnotherStoreIsMovedOnlyByWhatIsAppliedLater) {
  for (const uint64_t generation : {kGeneration - 5, kGeneration, kGeneration + 5}) {
    Reported node = Node(v1::READY, generation, v1::Convergence::CONVERGED);
    node.own_lineage = false;
    node.applied_at = At(1722500001);
    EXPECT_TRUE(absl::StrContains(WhyLeftAlone(Desired(v1::ENFORCE), node),
                                  "of another coordinator's store"));
    node.applied_at = At(1722499999);
    EXPECT_EQ(WhyLeftAlone(Desired(v1::ENFORCE), node), "");
  }
  // What a new store begins with, nobody has applied.
  Reported node = Node(v1::READY, 4, v1::Convergence::CONVERGED);
  node.own_lineage = false;
  node.applied_at = At(1722499999);
  EXPECT_TRUE(IsAhead(Desired(v1::ENFORCE, 1), node));
}

TEST(PlanTest, ANodeWithALaterOrderIsLeftUntilItIsKnownWhatItGoesBy) {
  Reported node = Node(v1::READY, kGeneration + 1, v1::Convergence::CONVERGED);
  node.order_ahead = true;
  node.applied_at = At(1722500001);
  EXPECT_TRUE(IsAhead(Desired(v1::ENFORCE), node));
  node = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  node.order_ahead = true;
  node.applied_at = At(1722500000);  // it holds the same
  EXPECT_FALSE(IsAhead(Desired(v1::ENFORCE), node));
}

// The host's clock may be behind that of the one before. By number, as the node takes it.
TEST(PlanTest, ANodeOfAnOlderStoreIsMovedByWhatIsAppliedWhateverTheClockSays) {
  Reported node = Node(v1::READY, kGeneration - 1, v1::Convergence::CONVERGED);
  node.order_ahead = true;
  for (const int64_t seconds : {1722499999, 1722500001}) {
    node.applied_at = At(seconds);
    EXPECT_EQ(WhyLeftAlone(Desired(v1::ENFORCE), node), "") << seconds;
  }
  // Numbered below what it holds, since it had not been heard: it would not take that.
  node.generation = kGeneration + 1;
  node.applied_at = At(1722499999);
  EXPECT_TRUE(IsAhead(Desired(v1::ENFORCE), node));
}

TEST(PlanTest, AGenerationThatNobodyGaveIsOdd) {
  const v1::Desired desired = Desired(v1::ENFORCE);
  EXPECT_FALSE(IsOdd(desired, Node(v1::READY, kGeneration)));
  EXPECT_FALSE(IsOdd(desired, Node(v1::READY, kGeneration + kGenerationsAbove)));
  EXPECT_TRUE(IsOdd(desired, Node(v1::READY, kGeneration + kGenerationsAbove + 1)));
  EXPECT_TRUE(IsOdd(desired, Node(v1::READY, ~uint64_t{0})));
  EXPECT_FALSE(IsOdd(desired, Node(v1::READY, 0)));
  Reported other = Node(v1::READY, ~uint64_t{0});
  other.own_lineage = false;
  EXPECT_FALSE(IsOdd(desired, other));
}

// Nothing that is applied would move it: so it is not said that apply does.
TEST(PlanTest, ANodeThatIsOddIsNotAheadAndIsToldHowItIsTakenInAnew) {
  const v1::Desired desired = Desired(v1::ENFORCE);
  Reported of_order = Node(v1::READY, kGeneration - 1, v1::Convergence::CONVERGED);
  of_order.order_ahead = true;
  of_order.odd = "order 9.1, the latest is 2.5";
  const Reported of_generation = Node(v1::READY, ~uint64_t{0}, v1::Convergence::CONVERGED);
  for (const Reported& node : {of_order, of_generation}) {
    EXPECT_TRUE(IsOdd(desired, node));
    EXPECT_FALSE(IsAhead(desired, node));
    const std::string why = WhyLeftAlone(desired, node);
    EXPECT_FALSE(absl::StrContains(why, "connect-ha apply")) << why;
    EXPECT_TRUE(absl::StrContains(why, "connect-ha node remove")) << why;
  }
  EXPECT_TRUE(absl::StrContains(WhyLeftAlone(desired, of_order),
                                "goes by order 9.1, the latest is 2.5: nobody gave it that"));
  EXPECT_TRUE(
      absl::StrContains(WhyLeftAlone(desired, of_generation),
                        "goes by generation 18446744073709551615, the newest is 7: nobody gave"));
}

}  // namespace
}  // namespace connect_ha
