// A change of the cluster that is under way.
#pragma once

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {

// Of rollout.textproto: all nodes were stopped, and the first is looked at.
class RolloutTest : public testing::Test {
 protected:
  RolloutTest() {
    ReadFixture("rollout.textproto", world_.coordinator.plan);
    world_.width = 400;
  }

  v1::RolloutStatus& Rollout() {
    return *world_.coordinator.plan.mutable_decision()->mutable_rollout();
  }
  // Generation 9 beside it.
  v1::RolloutStatus& Next(v1::RolloutStatus::Phase phase) {
    v1::RolloutStatus& next = *Rollout().mutable_next();
    next.set_generation(9);
    next.set_kind(v1::Rollout::TOGETHER);
    next.set_phase(phase);
    next.set_standing(v1::RolloutStatus::WAITS);
    next.set_reason("a person's approval");
    next.mutable_outlook()->set_needs("connect-ha approve 9");
    return next;
  }
  v1::Word& Said(v1::Word::Kind kind, uint64_t generation = 0) {
    v1::Word& word = *world_.coordinator.plan.add_words();
    word.set_kind(kind);
    word.set_generation(generation);
    word.set_by("admin/bob");
    return word;
  }
  const std::vector<std::string>& Asked() const { return world_.coordinator.changes; }
  void NoChange() { Rollout().Clear(); }
  void Halt() {
    Rollout().set_standing(v1::RolloutStatus::HALTED);
    Rollout().set_reason("node-1: Connect does not start: it exited\ncannot migrate\n");
    Rollout().add_fixes("connect-ha node start node-1 --reason TEXT");
    Rollout().add_fixes("connect-ha spec rollback 7");
  }

  World world_;
};

}  // namespace connect_ha
