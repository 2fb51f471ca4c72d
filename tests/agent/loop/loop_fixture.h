// The agent's loop, with one probe, on a host and with a coordinator of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/loop/loop.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {

// Keeps what it was sent and answers with what was put in.
class FakeLink : public CoordinatorLink {
 public:
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override {
    requests.push_back(request);
    if (!error.ok()) return error;
    v1::HeartbeatResponse response;
    if (!answers.empty()) {
      response = answers.front();
      answers.pop_front();
    }
    if (response.next_heartbeat_ms() == 0) response.set_next_heartbeat_ms(5'000);
    return response;
  }
  void OnNudge(std::function<void()>) override {}

  std::vector<v1::HeartbeatRequest> requests;
  std::deque<v1::HeartbeatResponse> answers;
  absl::Status error;
};

inline absl::Status ReadHostname(const ProbeInput& input, v1::Facts& facts) {
  const auto name = input.host.ReadFile("/etc/hostname");
  if (!name.ok()) return name.status();
  facts.mutable_host()->set_hostname(*name);
  facts.mutable_memory()->set_available_bytes(1);
  return absl::OkStatus();
}

// What systemd says of Connect's unit, where a test has it say something.
inline absl::Status ReadUnitState(const ProbeInput& input, v1::Facts& facts) {
  const auto state = input.host.ReadFile("/unit-state");
  if (state.ok()) facts.mutable_connect()->mutable_unit()->set_active_state(*state);
  return absl::OkStatus();
}

class LoopTest : public testing::Test {
 protected:
  LoopTest() {
    host_.SetFile("/etc/hostname", "node-1");
    GathererOptions gathering;
    gathering.probes = {
        {"host", "host", Pace::kPass, kOnHost, std::chrono::seconds(30), ReadHostname},
        {"unit", "connect", Pace::kPass, kOnHost, std::chrono::seconds(30), ReadUnitState}};
    gathering.load_config = [] { return LoadedConfig(); };
    gathering.agent_config.mutable_poll_interval()->set_seconds(30);
    gathering.agent_config.mutable_verify_interval()->set_seconds(600);
    gatherer_ = std::make_unique<Gatherer>(std::move(gathering), host_, cache_);
    host_.SetDirectory("/state");
    ConvergeOptions convergence;
    convergence.node = "node-1";
    convergence.state_dir = "/state";
    convergence.cache_dir = "/cache";
    convergence.agent_config.set_connect_unit("rstudio-connect.service");
    convergence.agent_config.set_connect_config("/etc/connect.gcfg");
    held_ = std::make_unique<Held>(Holding(), host_);
    EXPECT_TRUE(held_->Load().ok());
    converger_ =
        std::make_unique<Converger>(std::move(convergence), host_, cache_, *held_, nullptr);
    EXPECT_TRUE(converger_->Start().ok());
    LoopOptions options;
    options.node = "node-1";
    options.machine_id = "m";
    options.boot_id = "b";
    options.agent_version = "0.1.0";
    options.digest_key_id = "2c70e12b7a0646f9";
    options.notify = [this](const std::string& state) { told_.push_back(state); };
    options.called = [this](const v1::HeartbeatResponse* answer) {
      challenges_.push_back(answer == nullptr ? "no answer" : answer->proof_challenge());
    };
    gate_.version = 1;
    gate_.report.set_gate_reason("it is new");
    options.gate = [this] { return gate_; };
    loop_ =
        std::make_unique<Loop>(std::move(options), *gatherer_, *converger_, *held_, link_, host_);
  }
  static HeldOptions Holding() {
    HeldOptions options;
    options.owner = {"lab", "m", "token-1", "m"};
    options.state_dir = "/state";
    return options;
  }
  // Until the first gathering is over and reported.
  void Begin() {
    while (link_.requests.empty()) Act(0);
  }
  void Act(uint32_t triggers) {
    loop_->Act(triggers, now_);
    gatherer_->WaitForAll(std::chrono::seconds(30));
  }
  void After(std::chrono::milliseconds span, uint32_t triggers = 0) {
    now_ += span;
    host_.Advance(span);
    Act(triggers);
  }
  void Answer(const v1::HeartbeatResponse& response) { link_.answers.push_back(response); }
  int Count(const std::string& state) const {
    return static_cast<int>(std::count(told_.begin(), told_.end(), state));
  }

  FakeHost host_;
  ProbeCache cache_;
  FakeLink link_;
  std::unique_ptr<Gatherer> gatherer_;
  std::unique_ptr<Held> held_;
  std::unique_ptr<Converger> converger_;
  std::unique_ptr<Loop> loop_;
  std::vector<std::string> told_;
  std::vector<std::string> challenges_;
  GateNews gate_;
  SteadyTime now_ = std::chrono::steady_clock::now();
};

}  // namespace connect_ha
