// A specification that is applied, and nodes that go on while it is followed.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {

inline constexpr char kSpec[] =
    "cluster: analytics\nenforcement: enforce\nruntimes:\n  r: []\n"
    "storage: {mount_point: /mnt/connect}\n"
    "prove: {storage: true, database: true}\n";

// A specification in a directory of its own; one node, which would change one thing.
class Apply : public testing::Test {
 protected:
  Apply() {
    char pattern[] = "/tmp/connect-ha-apply.XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/cluster.yaml";
    std::ofstream(path_) << kSpec;
    world_.coordinator.previews.resize(1);
    v1::NodePreview& node = *world_.coordinator.previews[0].add_nodes();
    node.set_node("node-1");
    node.mutable_preview()->add_changes()->set_resource("package rstudio-connect");
    *world_.coordinator.plan.mutable_decided_at() = ToProto(world_.now);
    world_.in_is_terminal = true;
    world_.waits = 20;
  }
  ~Apply() override { std::filesystem::remove_all(dir_); }

  v1::Snapshot Snapshot(v1::Convergence::State state) {
    v1::Snapshot snapshot;
    *snapshot.mutable_taken_at() = ToProto(world_.now);
    snapshot.set_generation(1);
    v1::NodeSnapshot& node = *snapshot.add_nodes();
    node.set_name("node-1");
    *node.mutable_last_seen() = ToProto(world_.now);
    node.set_reported_generation(1);
    node.mutable_convergence()->set_generation(1);
    node.mutable_convergence()->set_state(state);
    return snapshot;
  }

  World world_;
  std::string dir_;
  std::string path_;
};

// What is to be enforced is done when the nodes serve, too.
class ApplyAndServe : public Apply {
 protected:
  ApplyAndServe() { world_.width = 400; }

  v1::Snapshot Told(v1::NodeState assigned, v1::NodeState reported,
                    v1::Convergence::State convergence = v1::Convergence::CONVERGED) {
    v1::Snapshot snapshot = Snapshot(convergence);
    snapshot.mutable_spec()->set_enforcement(v1::ENFORCE);
    v1::NodeSnapshot& node = *snapshot.mutable_nodes(0);
    node.set_assigned_state(assigned);
    node.set_reported_state(reported);
    *node.mutable_assigned_since() = ToProto(world_.now);
    if (assigned != v1::SERVING) node.set_assigned_reason("as the specification says");
    return snapshot;
  }
  // Looked at anew each second.
  void Follow(const v1::Snapshot& snapshot, int seconds) {
    world_.waits = seconds;
    world_.coordinator.snapshots = {snapshot};
    world_.on_wait = [this] {
      v1::Snapshot& shown = world_.coordinator.snapshots[0];
      *shown.mutable_taken_at() = ToProto(world_.now);
      for (v1::NodeSnapshot& node : *shown.mutable_nodes()) {
        *node.mutable_last_seen() = ToProto(world_.now);
      }
    };
  }
  int ApplyAndWait() { return world_.Run({"apply", path_, "--yes", "--wait"}); }
  std::chrono::microseconds Took() const { return world_.now - begun_; }

  const Time begun_ = world_.now;
};

}  // namespace connect_ha
