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
