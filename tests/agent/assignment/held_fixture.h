// What a node goes by, on a host of its own, and what a coordinator answers it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "agent/assignment/held.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/agent/assignment/signed_fixture.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {

inline constexpr char kState[] = "/var/lib/connect-ha-agent";
inline constexpr char kRuntime[] = "/run/connect-ha-agent";

inline v1::HeartbeatResponse Answer(v1::NodeState state, uint64_t generation) {
  v1::HeartbeatResponse answer;
  answer.set_assigned_state(state);
  answer.set_assigned_generation(generation);
  return answer;
}

inline v1::HeartbeatResponse Answer(v1::NodeState state, const v1::Desired& desired) {
  v1::HeartbeatResponse answer = Answer(state, desired.generation());
  *answer.mutable_desired() = desired;
  return answer;
}

inline v1::HeartbeatResponse Ordered(v1::HeartbeatResponse answer, const std::string& lineage,
                                     uint64_t epoch, uint64_t serial, int64_t applied_at = 0) {
  answer.mutable_order()->set_lineage(lineage);
  answer.mutable_order()->set_epoch(epoch);
  answer.mutable_order()->set_serial(serial);
  if (answer.has_desired()) {
    answer.mutable_desired()->set_lineage(lineage);
    answer.mutable_desired()->mutable_applied_at()->set_seconds(applied_at);
  }
  return answer;
}

class HeldTest : public testing::Test {
 protected:
  HeldTest() {
    host_.SetDirectory(kState);
    host_.SetDirectory(kRuntime);
    options_.owner = {"lab", "machine-1", "token-1", "machine-1"};
    options_.state_dir = kState;
    options_.runtime_dir = kRuntime;
    StartAgent();
  }
  void StartAgent() {
    held_ = std::make_unique<Held>(options_, host_);
    loaded_ = held_->Load();
  }
  absl::Status Take(const v1::HeartbeatResponse& answer) { return held_->Take(answer); }
  void FillDisk() {
    host_.SetError(kState, absl::ResourceExhaustedError("no space left on device"));
  }
  // What an agent that is started now holds: on a full disk files can be read.
  void StartAgentOnTheFullDisk() {
    host_.SetError(kState, absl::OkStatus());
    StartAgent();
    FillDisk();
  }
  bool MayChangeNow() { return MayChange(*held_->Orders()); }
  uint64_t generation() { return held_->Orders()->desired().generation(); }

  FakeHost host_;
  HeldOptions options_;
  std::unique_ptr<Held> held_;
  absl::Status loaded_;
};

}  // namespace connect_ha
