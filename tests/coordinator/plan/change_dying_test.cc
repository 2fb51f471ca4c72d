// The coordinator dies between any two decisions, before or after it has told anybody, its store is
// put back, and other names are given: the change ends in the same way.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "coordinator/plan/decide.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;
using Status = v1::RolloutStatus;

// A drain takes five.
constexpr seconds kStepTakes{60};

using Make = std::function<PlanCluster()>;

std::vector<Make> Changes() {
  return {[] { return ToBeRestarted(2); }, [] { return ToBeRestarted(3); },
          [] { return Approved(2); }, [] { return Approved(3); }};
}

// What every decision says, until it is done.
std::vector<std::string> Trace(PlanCluster cluster, const std::function<void(PlanCluster&)>& dies) {
  std::vector<std::string> trace;
  for (int i = 0; i < 400; ++i) {
    const v1::Decision decision = cluster.Step();
    trace.push_back(Status::Phase_Name(decision.rollout().phase()) + ": " + StatesOf(decision));
    if (decision.rollout().phase() == Status::DONE) return trace;
    cluster.Wait(kStepTakes);
    dies(cluster);
  }
  ADD_FAILURE() << "it does not end: " << trace.back();
  return trace;
}

TEST(ChangeDying, ACoordinatorThatDiesBetweenAnyTwoDecisionsMakesTheSame) {
  for (const Make& make : Changes()) {
    const auto once = Trace(make(), [](PlanCluster&) {});
    const auto dying = Trace(make(), [](PlanCluster& cluster) { cluster.Restart(); });
    EXPECT_EQ(once, dying);
  }
}

// What it has decided is stored, and nobody was told; a second one takes the store up.
TEST(ChangeDying, WhatWasStoredAndNotToldIsDecidedAnew) {
  for (const Make& make : Changes()) {
    for (int dies_at = 0; dies_at < 40; ++dies_at) {
      PlanCluster cluster = make();
      for (int i = 0; i < dies_at; ++i) {
        cluster.Step();
        cluster.Wait(kStepTakes);
      }
      v1::Decision decision = cluster.Store();
      cluster.Restart();
      for (int i = 0; i < 100 && decision.rollout().phase() != Status::DONE; ++i) {
        decision = cluster.Step();
        cluster.Wait(kStepTakes);
      }
      ASSERT_EQ(decision.rollout().phase(), Status::DONE) << dies_at << TextsOf(decision);
      for (int n = 0; n < cluster.input.nodes_size(); ++n) {
        ASSERT_EQ(decision.assignments(n).state(), v1::SERVING) << dies_at;
        ASSERT_EQ(cluster.memory(n).reached(), kNext) << dies_at;
      }
    }
  }
}

// What moves nodes was remembered by the decision before.
TEST(ChangeDying, NothingIsDoneByWhatIsAddedWithTheSameDecision) {
  for (const Make& make : Changes()) {
    PlanCluster cluster = make();
    for (int i = 0; i < 100; ++i) {
      const v1::PlanInput input = cluster.input;
      const v1::Decision decision = cluster.Step();
      const bool begins = !input.memory().has_rollout() && decision.remember().has_rollout();
      if (begins) {
        for (int n = 0; n < input.nodes_size(); ++n) {
          EXPECT_EQ(decision.assignments(n).order().serial(), input.nodes(n).obeys().serial());
        }
      }
      if (decision.remember().generation() != input.generation()) {
        EXPECT_EQ(decision.assignments(0).generation(), input.generation());
        EXPECT_TRUE(decision.has_wake_at());
      }
      cluster.Wait(kStepTakes);
    }
  }
}

// It is put back to what it was at any moment: nothing moves until a person has applied something,
// and no older version starts beside a newer one.
TEST(ChangeDying, AnOlderStoreMovesNobody) {
  for (int copied_at = 0; copied_at < 12; ++copied_at) {
    PlanCluster cluster = Approved(2);
    for (int i = 0; i < copied_at; ++i) cluster.Step();
    const v1::PlanInput copy = cluster.input;
    for (int i = 0; i < 3; ++i) cluster.Step();
    const bool moved = cluster.node(0).obeys().serial() > copy.memory().nodes(0).order().serial() ||
                       cluster.node(1).obeys().serial() > copy.memory().nodes(1).order().serial();
    if (!moved) continue;
    *cluster.input.mutable_memory() = copy.memory();
    *cluster.input.mutable_words() = copy.words();
    cluster.input.set_generation(copy.generation());
    *cluster.input.mutable_spec() = copy.spec();
    cluster.input.clear_next();
    if (copy.has_next()) *cluster.input.mutable_next() = copy.next();
    cluster.Restart();
    const v1::Decision decision = cluster.Step();
    EXPECT_TRUE(decision.remember().has_restored_at()) << copied_at;
    for (const v1::NodeAssignment& one : decision.assignments()) {
      EXPECT_EQ(one.order().epoch(), 0u) << copied_at;
    }
    EXPECT_EQ(decision.remember().rollout().SerializeAsString(),
              copy.memory().rollout().SerializeAsString());
  }
}

TEST(ChangeDying, NamesAndTheirOrderDecideNothing) {
  PlanCluster cluster = Approved(3);
  for (int i = 0; i < 30; ++i) {
    v1::PlanInput other = cluster.input;
    const auto rename = [](const std::string& name) {
      return name.empty() ? name : "z-" + std::to_string('9' - name.back());
    };
    for (v1::PlanNode& node : *other.mutable_nodes()) {
      node.mutable_brief()->set_name(rename(node.brief().name()));
    }
    for (v1::NodeMemory& node : *other.mutable_memory()->mutable_nodes()) {
      node.set_node(rename(node.node()));
    }
    v1::PlanMemory& memory = *other.mutable_memory();
    if (memory.has_rollout()) {
      v1::Rollout& rollout = *memory.mutable_rollout();
      rollout.set_first(rename(rollout.first()));
      for (v1::RolloutNode& node : *rollout.mutable_nodes()) node.set_node(rename(node.node()));
      rollout.mutable_nodes()->SwapElements(0, 2);
    }
    other.mutable_nodes()->SwapElements(0, 2);
    const v1::Decision one = Decide(cluster.input);
    const v1::Decision two = Decide(other);
    for (int n = 0; n < 3; ++n) {
      ASSERT_EQ(one.assignments(n).state(), two.assignments(2 - n).state()) << TextsOf(one);
      ASSERT_EQ(one.assignments(n).closed(), two.assignments(2 - n).closed());
    }
    ASSERT_EQ(rename(one.remember().rollout().first()), two.remember().rollout().first());
    ASSERT_EQ(one.rollout().phase(), two.rollout().phase());
    cluster.Step();
    cluster.Wait(seconds(10));
  }
}

}  // namespace
}  // namespace connect_ha
