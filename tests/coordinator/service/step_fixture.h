// One node, and what its heartbeats make of it, without a roster, a store or a lock.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/cluster/node/step.h"

namespace connect_ha {

inline const Time kNoon{std::chrono::seconds(1'700'000'000)};
inline constexpr char kLineage[] = "ours";

inline v1::HeartbeatRequest Beat(const std::string& digest = "d1") {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_boot_id("boot");
  request.set_agent_version("1.2.3");
  request.set_facts_digest(digest);
  return request;
}

inline v1::HeartbeatRequest WithFacts(v1::HeartbeatRequest request) {
  v1::Facts facts;
  facts.mutable_connect();
  facts.mutable_host()->set_hostname(request.facts_digest());
  request.set_facts_bytes(facts.SerializeAsString());
  return request;
}

// What the heartbeats of one node make of it.
class StepTest : public testing::Test {
 protected:
  StepTest() {
    desired_.set_lineage(kLineage);
    desired_.set_generation(3);
    desired_.mutable_spec()->set_enforcement(v1::ENFORCE);
  }
  StepResult Look(const v1::HeartbeatRequest& request, int after_s, bool store_works = true) {
    const Time now = kNoon + std::chrono::seconds(after_s);
    StepInputs inputs = {desired_, newest_ ? *newest_ : desired_};
    inputs.stale_after = std::chrono::seconds(30);
    inputs.epoch = 2;
    inputs.serial = serial_;
    inputs.assigned = assigned_;
    inputs.address = "10.0.0.1";
    auto report = TakeFacts(request, desired_.spec(), desired_.generation(), now);
    EXPECT_TRUE(report.ok()) << report.status();
    if (report.ok()) inputs.report = *report;
    inputs.store_works = store_works;
    inputs.now = now;
    return Step(node_, request, inputs);
  }
  StepResult Take(const v1::HeartbeatRequest& request, int after_s) {
    StepResult result = Look(request, after_s);
    node_ = result.after;
    return result;
  }
  // What the plan gives the node: this state of generation 3, by order 2.serial.
  void Assign(v1::NodeState state, uint64_t serial) {
    v1::NodeAssignment assigned;
    assigned.set_node("a");
    assigned.set_state(state);
    assigned.set_generation(3);
    assigned.set_reason("as it is to be");
    assigned.mutable_since()->set_seconds(1'722'513'600);
    assigned.mutable_order()->set_lineage(kLineage);
    assigned.mutable_order()->set_epoch(2);
    assigned.mutable_order()->set_serial(serial);
    assigned_ = std::make_shared<const v1::NodeAssignment>(assigned);
    serial_ = std::max(serial_, serial);
  }

  v1::Desired desired_;
  std::optional<v1::Desired> newest_;  // unset: what is in force
  uint64_t serial_ = 0;
  std::shared_ptr<const v1::NodeAssignment> assigned_;
  KnownNode node_;
};

}  // namespace connect_ha
