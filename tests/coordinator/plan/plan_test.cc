#include "coordinator/plan/plan.h"

#include <gtest/gtest.h>

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

v1::Facts Facts(const std::string& active_state) {
  v1::Facts facts;
  facts.mutable_connect()->mutable_unit()->set_active_state(active_state);
  return facts;
}

v1::Facts BareFacts() {
  v1::Facts facts;
  facts.mutable_connect();
  return facts;
}

v1::NodeSnapshot Node(v1::NodeState reported, uint64_t generation,
                      v1::Convergence::State state = v1::Convergence::STATE_UNSPECIFIED) {
  v1::NodeSnapshot node;
  node.set_name("node-1");
  node.set_reported_state(reported);
  node.set_reported_generation(generation);
  if (state != v1::Convergence::STATE_UNSPECIFIED) {
    node.mutable_convergence()->set_state(state);
    node.mutable_convergence()->set_generation(generation);
  }
  return node;
}

TEST(PlanTest, NothingIsChangedWithoutASpecificationThatEnforces) {
  const v1::Facts bare = BareFacts();
  const v1::NodeSnapshot node = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  const Assigned none = AssignState(Desired(v1::ENFORCE, 0), Node(v1::OBSERVED, 0), &bare);
  const Assigned observe = AssignState(Desired(v1::OBSERVE), node, &bare);
  const Assigned unset = AssignState(Desired(v1::ENFORCEMENT_UNSPECIFIED), node, &bare);
  EXPECT_EQ(none.state, v1::OBSERVED);
  EXPECT_EQ(none.reason, "no specification was applied");
  EXPECT_EQ(observe.state, v1::OBSERVED);
  EXPECT_EQ(observe.reason, "the specification only observes (enforcement: observe)");
  EXPECT_EQ(unset.state, v1::OBSERVED);
}

TEST(PlanTest, ANodeThatAllowsNoMoreIsObserved) {
  const v1::Facts bare = BareFacts();
  v1::NodeSnapshot node = Node(v1::OBSERVED, kGeneration, v1::Convergence::DIFFERS);
  node.set_allow(v1::ALLOW_OBSERVE);
  const Assigned observed = AssignState(Desired(v1::ENFORCE), node, &bare);
  EXPECT_EQ(observed.state, v1::OBSERVED);
  EXPECT_TRUE(absl::StrContains(observed.reason, "agent.yaml")) << observed.reason;
  for (const v1::Allow allow : {v1::ALLOW_UNSPECIFIED, v1::ALLOW_INSTALL, v1::ALLOW_SERVE}) {
    node.set_allow(allow);
    EXPECT_EQ(AssignState(Desired(v1::ENFORCE), node, &bare).state, v1::PREPARING) << allow;
  }
}

TEST(PlanTest, ANodeOnWhichConnectMayRunIsLeftAlone) {
  for (const char* state : {"active", "activating", "deactivating", "reloading", "maintenance"}) {
    const v1::Facts facts = Facts(state);
    for (const v1::NodeState reported : {v1::OBSERVED, v1::PREPARING, v1::READY}) {
      const Assigned assigned =
          AssignState(Desired(v1::ENFORCE), Node(reported, kGeneration), &facts);
      EXPECT_EQ(assigned.state, v1::OBSERVED) << state;
      EXPECT_TRUE(absl::StartsWith(assigned.reason, "Connect runs here (")) << assigned.reason;
    }
  }
}

TEST(PlanTest, ABareNodeIsPreparedUntilEveryResourceIsRight) {
  using C = v1::Convergence;
  struct Case {
    v1::NodeSnapshot node;
    v1::NodeState state;
  };
  C other_generation;
  other_generation.set_state(C::CONVERGED);
  other_generation.set_generation(kGeneration - 1);
  v1::NodeSnapshot converged_before = Node(v1::PREPARING, kGeneration);
  *converged_before.mutable_convergence() = other_generation;
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
  for (const v1::Facts& facts : {BareFacts(), Facts("inactive"), Facts("failed")}) {
    for (const Case& one : cases) {
      const Assigned assigned = AssignState(Desired(v1::ENFORCE), one.node, &facts);
      EXPECT_EQ(assigned.state, one.state) << one.node.ShortDebugString();
      EXPECT_EQ(assigned.reason, "");
    }
  }
}

TEST(PlanTest, UnknownNeitherPromotesNorHoldsBackWhatWasBegun) {
  v1::Facts unread = BareFacts();
  v1::Unobserved& unobserved = *unread.add_unobserved();
  unobserved.set_path("connect");
  unobserved.set_reason("systemd does not answer");
  for (const v1::NodeState reported : {v1::OBSERVED, v1::PREPARING, v1::READY}) {
    const v1::NodeSnapshot node = Node(reported, kGeneration);
    const Assigned no_facts = AssignState(Desired(v1::ENFORCE), node, nullptr);
    const Assigned no_unit = AssignState(Desired(v1::ENFORCE), node, &unread);
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
  const v1::Facts bare = BareFacts();
  v1::NodeSnapshot forked = Node(v1::READY, kGeneration, v1::Convergence::CONVERGED);
  forked.mutable_reported_applied_at()->set_seconds(1722500001);
  const v1::NodeSnapshot newer = Node(v1::READY, kGeneration + 1, v1::Convergence::CONVERGED);
  for (const v1::NodeSnapshot& node : {forked, newer}) {
    for (const v1::Enforcement enforcement : {v1::ENFORCE, v1::OBSERVE}) {
      const Assigned assigned = AssignState(Desired(enforcement), node, &bare);
      EXPECT_EQ(assigned.state, v1::READY);
      EXPECT_TRUE(absl::StrContains(assigned.reason, "connect-ha apply puts one above it"));
    }
  }
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE, 0), newer, &bare).state, v1::READY);
  forked.mutable_reported_applied_at()->set_seconds(1722500000);
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE), forked, &bare).reason, "");
  forked.clear_reported_applied_at();  // an agent that does not say it
  EXPECT_EQ(AssignState(Desired(v1::ENFORCE), forked, &bare).reason, "");
}

TEST(PlanTest, InAConflictNobodyIsPromoted) {
  const v1::Facts bare = BareFacts();
  v1::NodeSnapshot node = Node(v1::OBSERVED, kGeneration, v1::Convergence::CONVERGED);
  node.add_claimants();
  node.add_claimants();
  const Assigned assigned = AssignState(Desired(v1::ENFORCE), node, &bare);
  EXPECT_EQ(assigned.state, v1::OBSERVED);
  EXPECT_EQ(assigned.reason,
            "whether Connect runs here is not known: two live machines speak under this name");
}

// Whatever a node says: it is changed only where the specification enforces and Connect is known to
// be at rest, or where it is being changed already.
TEST(PlanTest, NoInputChangesANodeUnderAConnectThatRuns) {
  std::mt19937 random(20240801);
  int under_connect = 0;
  int changed = 0;
  const char* states[] = {"active", "inactive", "failed", "activating", ""};
  for (int i = 0; i < 20000; ++i) {
    v1::NodeSnapshot node = Node(static_cast<v1::NodeState>(random() % 8), random() % 3,
                                 static_cast<v1::Convergence::State>(random() % 7));
    for (size_t claimants = random() % 3; claimants-- > 0;) node.add_claimants();
    v1::Facts facts = random() % 2 ? Facts(states[random() % 5]) : v1::Facts();
    if (random() % 4 == 0) facts.add_unobserved()->set_reason("x");
    const bool known = random() % 4 > 0;
    const v1::Desired desired = Desired(static_cast<v1::Enforcement>(random() % 3), random() % 3);
    if (random() % 2) node.mutable_reported_applied_at()->set_seconds(1722500000 + random() % 2);
    const Assigned assigned = AssignState(desired, node, known ? &facts : nullptr);
    const bool changes = assigned.state == v1::PREPARING || assigned.state == v1::READY;
    const std::string& unit = facts.connect().unit().active_state();
    ASSERT_TRUE(changes || assigned.state == v1::OBSERVED);
    ASSERT_TRUE(changes || !assigned.reason.empty());  // who is held back is told why
    if (IsAhead(desired, node)) {
      ASSERT_EQ(assigned.state, changes ? node.reported_state() : v1::OBSERVED);
      continue;
    }
    const bool seen = known && facts.unobserved().empty() && node.claimants_size() < 2;
    const bool may_run =
        seen && facts.connect().has_unit() && unit != "inactive" && unit != "failed";
    if (may_run) {
      ASSERT_EQ(assigned.state, v1::OBSERVED) << node.ShortDebugString();
      ++under_connect;
    }
    if (!changes) continue;
    ++changed;
    ASSERT_EQ(desired.spec().enforcement(), v1::ENFORCE);
    ASSERT_GT(desired.generation(), 0u);
    // What is not known never promotes.
    ASSERT_TRUE(seen || node.reported_state() == assigned.state) << node.ShortDebugString();
  }
  // Both were tried, often.
  EXPECT_GT(under_connect, 1000);
  EXPECT_GT(changed, 500);
}

}  // namespace
}  // namespace connect_ha
