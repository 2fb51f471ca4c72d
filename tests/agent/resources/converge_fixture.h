// A whole node, with nothing on it at first, and its agent, which is told to prepare it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {

class ConvergeTest : public testing::Test {
 protected:
  ConvergeTest() : assignment_(node_.FullAssignment()), agent_(std::make_unique<Agent>(node_)) {}

  std::optional<std::chrono::milliseconds> Turn() {
    return agent_->converge.Turn(assignment_, watch_);
  }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  v1::Artifact& connect() { return *spec().mutable_connect()->mutable_package(); }
  std::string said() const { return Describe(watch_.last()); }
  const v1::Trouble& trouble() const { return watch_.last().troubles(0); }
  // The latest change of a resource.
  v1::Change Made(const std::string& resource) const {
    v1::Change latest;
    for (const v1::ChangeMade& made : agent_->journal.Pending(100)) {
      if (made.change().resource() == resource) latest = made.change();
    }
    return latest;
  }
  bool IsThere(const std::string& path) { return node_.host.Stat(path).ok(); }
  v1::Desired& desired() { return *assignment_.mutable_desired(); }
  // The next generation, with these lines more.
  void WantConfig(const std::string& more) {
    desired().set_generation(desired().generation() + 1);
    desired().set_connect_config(
        absl::StrCat("[Server]\nAddress = https://${node.name}\n[Postgres]\nPassword = "
                     "${secret.db_password}\n",
                     more));
  }
  int Calls(const std::string& call) const {
    int count = 0;
    for (const std::string& change : node_.host.changes()) {
      if (absl::StartsWith(change, call + " ")) ++count;
    }
    return count;
  }
  void SetConnect(const std::string& active, bool can_reload = false) {
    v1::Unit unit;
    unit.set_can_reload(can_reload);
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    unit.set_unit_file_state("enabled");
    unit.add_exec_start_pre("/usr/bin/connect-ha-agent preflight");
    node_.host.SetUnit(unit);
  }
  // From nothing, by way of being ready. What the node has reached is noted as the converger does.
  void Serve() {
    Turn();
    agent_->converge.NoteReached(v1::READY);
    SetConnect("inactive");
    assignment_.set_state(v1::SERVING);
    Turn();
    agent_->converge.NoteReached(v1::SERVING);
  }
  // The agent is killed and started again; PID 1 and what it runs stay.
  void Restart() { agent_ = std::make_unique<Agent>(node_); }

  BareNode node_;
  v1::Assignment assignment_;
  std::unique_ptr<Agent> agent_;
  TestWatch watch_{node_.host};
};

}  // namespace connect_ha
