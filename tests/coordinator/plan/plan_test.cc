#include "coordinator/plan/plan.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>

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

UnitSeen Unit(const std::string& active_state) {
  v1::Facts facts;
  facts.mutable_connect()->mutable_unit()->set_active_state(active_state);
  return LookAtUnit(facts);
}

UnitSeen NoUnit() {
  v1::Facts facts;
  facts.mutable_connect();
  return LookAtUnit(facts);
}

UnitSeen Unknown(const std::string& why) { return {why}; }

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

std::string TextOf(const Reported& node) {
  return "state " + std::to_string(node.state) + " generation " + std::to_string(node.generation) +
         (node.convergence ? " " + node.convergence->ShortDebugString() : "");
}

TEST(PlanTest, NothingIsChangedWithoutASpecificationThatEnforces) {
  const UnitSeen bare = NoUnit();
  const Reported node = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  const Assigned none = AssignState(Desired(v1::ENFORCE, 0), Node(v1::OBSERVED, 0), bare);
  const Assigned observe = AssignState(Desired(v1::OBSERVE), node, bare);
  const Assigned unset = AssignState(Desired(v1::ENFORCEMENT_UNSPECIFIED), node, bare);
  EXPECT_EQ(none.state, v1::OBSERVED);
  EXPECT_EQ(none.reason, "no specification was applied");
  EXPECT_EQ(observe.state, v1::OBSERVED);
  EXPECT_EQ(observe.reason, "the specification only observes (enforcement: observe)");
  EXPECT_EQ(unset.state, v1::OBSERVED);
}

TEST(PlanTest, ANodeOnWhichConnectMayRunIsLeftAlone) {
  for (const char* state : {"active", "activating", "deactivating", "reloading", "maintenance"}) {
    const UnitSeen unit = Unit(state);
    for (const v1::NodeState reported : {v1::OBSERVED, v1::PREPARING, v1::READY}) {
      const Assigned assigned =
          AssignState(Desired(v1::ENFORCE), Node(reported, kGeneration), unit);
      EXPECT_EQ(assigned.state, v1::OBSERVED) << state;
      EXPECT_TRUE(absl::StartsWith(assigned.reason, "Connect runs here (")) << assigned.reason;
    }
  }
}

TEST(PlanTest, ABareNodeIsPreparedUntilEveryResourceIsRight) {
  using C = v1::Convergence;
  struct Case {
    Reported node;
    v1::NodeState state;
  };
  Reported converged_before = Node(v1::PREPARING, kGeneration);
  converged_before.convergence = Converging(C::CONVERGED, kGeneration - 1);
  const Case cases[] = {
      {Node(v1::OBSERVED, 0), v1::PREPARING},
      {Node(v1::OBSERVED, kGeneration, C::DIFFERS), v1::PREPARING},
      {Node(v1::PREPARING, kGeneration, C::LOOKING), v1::PREPARING},
      {Node(v1::PREPARING, kGeneration, C::CHANGING), v1::PREPARING},
      {Node(v1::PREPARING, kGeneration, C::WAITING), v1::PREPARING},
      {Node(v1::PREPARING, kGeneration, C::STUCK), v1::PREPARING},
      {Node(v1::PREPARING, kGeneration, C::CONVERGED), v1::READY},
      {Node(v1::OBSERVED, kGeneration, C::CONVERGED), v1::READY},
      {Node(v1::READY, kGeneration, C::CONVERGED), v1::READY},
      // A file was changed by hand.
      {Node(v1::READY, kGeneration, C::CHANGING), v1::PREPARING},
      // The agent or the coordinator was started again.
      {Node(v1::READY, kGeneration, C::LOOKING), v1::READY},
      {Node(v1::READY, kGeneration), v1::READY},
      // A newer generation.
      {Node(v1::READY, kGeneration - 1, C::CONVERGED), v1::PREPARING},
      {converged_before, v1::PREPARING},
  };
  for (const UnitSeen& unit : {NoUnit(), Unit("inactive"), Unit("failed")}) {
    for (const Case& one : cases) {
      const Assigned assigned = AssignState(Desired(v1::ENFORCE), one.node, unit);
      EXPECT_EQ(assigned.state, one.state) << TextOf(one.node);
      EXPECT_EQ(assigned.reason, "");
    }
  }
}

TEST(PlanTest, UnknownNeitherPromotesNorHoldsBackWhatWasBegun) {
  v1::Facts unread;
  unread.mutable_connect();
  v1::Unobserved& unobserved = *unread.add_unobserved();
  unobserved.set_path("connect");
  unobserved.set_reason("systemd does not answer");
  for (const v1::NodeState reported : {v1::OBSERVED, v1::PREPARING, v1::READY}) {
    const Reported node = Node(reported, kGeneration);
    const Assigned no_facts =
        AssignState(Desired(v1::ENFORCE), node, Unknown("it has not reported its facts"));
    const Assigned no_unit = AssignState(Desired(v1::ENFORCE), node, LookAtUnit(unread));
    EXPECT_EQ(no_facts.state, reported);
    EXPECT_EQ(no_facts.reason,
              "whether Connect runs here is not known: it has not reported its facts");
    EXPECT_EQ(no_unit.state, reported);
    EXPECT_EQ(
        no_unit.reason,
        "whether Connect runs here is not known: connect not observed: systemd does not answer");
  }
}

// The store was restored from an older copy: nothing on a node changes by that.
TEST(PlanTest, ANodeThatIsAheadStaysWhatItIs) {
  const UnitSeen bare = NoUnit();
  Reported forked = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  forked.applied_at = At(1722500001);
  const Reported newer = Node(v1::READY, kGeneration + 1, v1::Convergence::CONVERGED);
  for (const Reported& node : {forked, newer}) {
    for (const v1::Enforcement enforcement : {v1::ENFORCE, v1::OBSERVE}) {
      const Assigned assigned = AssignState(Desired(enforcement), node, bare);
      EXPECT_EQ(assigned.state, v1::READY);
      EXPECT_TRUE(absl::StrContains(assigned.reason, "connect-ha apply puts one above it"));
    }
  }
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE, 0), newer, bare).state, v1::READY);
  forked.applied_at = At(1722500000);
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE), forked, bare).reason, "");
  forked.applied_at.reset();  // an agent that does not say it
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE), forked, bare).reason, "");
}

// Numbers of another store mean nothing here, whichever is greater.
TEST(PlanTest, ANodeOfAnotherStoreIsMovedOnlyByWhatIsAppliedLater) {
  for (const uint64_t generation : {kGeneration - 5, kGeneration, kGeneration + 5}) {
    Reported node = Node(v1::READY, generation, v1::Convergence::CONVERGED);
    node.own_lineage = false;
    node.applied_at = At(1722500001);
    const Assigned before = AssignState(Desired(v1::ENFORCE), node, NoUnit());
    node.applied_at = At(1722499999);
    const Assigned after = AssignState(Desired(v1::ENFORCE), node, NoUnit());
    EXPECT_EQ(before.state, v1::READY);
    EXPECT_TRUE(absl::StrContains(before.reason, "of another coordinator's store"));
    EXPECT_EQ(after.state, v1::PREPARING);  // however it is numbered, it is not what is in force
    EXPECT_EQ(after.reason, "");
  }
  // What a new store begins with, nobody has applied.
  Reported node = Node(v1::READY, 4, v1::Convergence::CONVERGED);
  node.own_lineage = false;
  node.applied_at = At(1722499999);
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE, 1), node, NoUnit()).state, v1::READY);
}

TEST(PlanTest, ANodeWithALaterOrderIsLeftUntilItIsKnownWhatItGoesBy) {
  Reported node = Node(v1::READY, kGeneration - 1, v1::Convergence::CONVERGED);
  node.order_ahead = true;
  node.applied_at = At(1722500001);
  EXPECT_TRUE(IsAhead(Desired(v1::ENFORCE), node));
  EXPECT_EQ(AssignState(Desired(v1::OBSERVE), node, NoUnit()).state, v1::READY);
  node.applied_at = At(1722499999);  // what is in force here was applied since
  EXPECT_FALSE(IsAhead(Desired(v1::ENFORCE), node));
  node = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  node.order_ahead = true;
  node.applied_at = At(1722500000);  // it holds the same
  EXPECT_FALSE(IsAhead(Desired(v1::ENFORCE), node));
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
    const Assigned assigned = AssignState(desired, node, NoUnit());
    EXPECT_EQ(assigned.state, v1::READY);
    EXPECT_FALSE(absl::StrContains(assigned.reason, "connect-ha apply")) << assigned.reason;
    EXPECT_TRUE(absl::StrContains(assigned.reason, "connect-ha node remove")) << assigned.reason;
  }
  EXPECT_TRUE(absl::StrContains(AssignState(desired, of_order, NoUnit()).reason,
                                "goes by order 9.1, the latest is 2.5: nobody gave it that"));
  EXPECT_TRUE(
      absl::StrContains(AssignState(desired, of_generation, NoUnit()).reason,
                        "goes by generation 18446744073709551615, the newest is 7: nobody gave"));
}

TEST(PlanTest, ANodeThatAllowsNoMoreIsOnlyObserved) {
  Reported node = Node(v1::OBSERVED, 0);
  node.allow = v1::ALLOW_OBSERVE;
  const Assigned assigned = AssignState(Desired(v1::ENFORCE), node, NoUnit());
  EXPECT_EQ(assigned.state, v1::OBSERVED);
  EXPECT_TRUE(absl::StrContains(assigned.reason, "agent.yaml")) << assigned.reason;
  EXPECT_TRUE(absl::StrContains(assigned.reason, "allow: observe")) << assigned.reason;
  for (const v1::Allow allow : {v1::ALLOW_UNSPECIFIED, v1::ALLOW_INSTALL, v1::ALLOW_SERVE}) {
    node.allow = allow;
    EXPECT_EQ(AssignState(Desired(v1::ENFORCE), node, NoUnit()).state, v1::PREPARING) << allow;
  }
}

// Whatever a node says: it is changed only where the specification enforces and Connect is known to
// be at rest, or where it is being changed already.
TEST(PlanTest, NoInputChangesANodeUnderAConnectThatRuns) {
  std::mt19937 random(20240801);
  int under_connect = 0;
  int changed = 0;
  const char* states[] = {"active", "inactive", "failed", "activating", ""};
  for (int i = 0; i < 20000; ++i) {
    Reported node = Node(static_cast<v1::NodeState>(random() % 8), random() % 3,
                         static_cast<v1::Convergence::State>(random() % 7));
    node.own_lineage = random() % 4 > 0;
    node.order_ahead = random() % 8 == 0;
    node.allow = static_cast<v1::Allow>(random() % 4);
    const std::string state = states[random() % 5];
    UnitSeen unit = random() % 2 ? Unit(state) : NoUnit();
    if (random() % 3 == 0) unit = Unknown("x");
    const v1::Desired desired = Desired(static_cast<v1::Enforcement>(random() % 3), random() % 3);
    if (random() % 2) node.applied_at = At(1722500000 + static_cast<int64_t>(random() % 2));
    const Assigned assigned = AssignState(desired, node, unit);
    const bool changes = assigned.state == v1::PREPARING || assigned.state == v1::READY;
    ASSERT_TRUE(changes || assigned.state == v1::OBSERVED);
    ASSERT_TRUE(changes || !assigned.reason.empty());  // who is held back is told why
    if (IsAhead(desired, node)) {
      ASSERT_EQ(assigned.state, changes ? node.state : v1::OBSERVED);
      continue;
    }
    const bool seen = unit.unknown.empty();
    const bool may_run = seen && unit.exists && unit.state != "inactive" && unit.state != "failed";
    if (may_run) {
      ASSERT_EQ(assigned.state, v1::OBSERVED) << TextOf(node);
      ++under_connect;
    }
    if (!changes) continue;
    ++changed;
    ASSERT_EQ(desired.spec().enforcement(), v1::ENFORCE);
    ASSERT_GT(desired.generation(), 0u);
    // What is not known never promotes.
    ASSERT_TRUE(seen || node.state == assigned.state) << TextOf(node);
    ASSERT_NE(node.allow, v1::ALLOW_OBSERVE);
  }
  // Both were tried, often.
  EXPECT_GT(under_connect, 1000);
  EXPECT_GT(changed, 500);
}

}  // namespace
}  // namespace connect_ha
