// Specifications: apply, preview, spec, and what status says of one that nodes converge to.
#include "common/spec/spec_bundle.h"
#include "tests/coordinator/cli/golden_cases.h"

namespace connect_ha {
namespace {

constexpr char kEnforced[] = "tests/coordinator/cli/enforced.yaml";

// Two generations; the nodes answered what they would change for a third.
void Applied(World& world) {
  FakeCoordinator& coordinator = world.coordinator;
  coordinator.specs.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    v1::SpecGeneration& spec = coordinator.specs[i];
    spec.set_generation(i + 1);
    spec.mutable_applied_at()->set_seconds(1722500000 + static_cast<int64_t>(i) * 3600);
    spec.set_applied_by(i == 0 ? "coordinator" : "admin/alice");
    spec.mutable_bundle()->set_source(
        i == 0 ? "cluster: analytics\nlimits:\n  stale_after: 30s\n"
               : "cluster: analytics\nconnect:\n  version: 2024.08.0\n  config: connect.gcfg\n"
                 "limits:\n  stale_after: 30s\n");
    spec.mutable_bundle()->mutable_spec()->set_cluster("analytics");
  }
  v1::SpecBundle& second = *coordinator.specs[1].mutable_bundle();
  second.mutable_spec()->mutable_connect()->set_config("connect.gcfg");
  second.mutable_spec()->mutable_connect()->mutable_license()->set_file("connect.lic");
  second.set_connect_config("[Server]\nAddress = https://connect.example.com\n");
  second.set_license("a licence\n");
  coordinator.previews.resize(2);
  ReadFixture("previews.textproto", coordinator.previews[1]);
  coordinator.previews[0] = coordinator.previews[1];
  for (int i = 0; i < 4; ++i) coordinator.previews[0].mutable_nodes(i)->clear_preview();
  *world.coordinator.plan.mutable_decided_at() = ToProto(world.now);
  world.waits = 10;
}

// The nodes go on while they are followed.
void Following(World& world) {
  Applied(world);
  v1::Snapshot last;
  ReadFixture("converging.textproto", last);
  last.mutable_nodes()->RemoveLast();  // what is applied ends that
  last.set_generation(3);
  for (v1::NodeSnapshot& node : *last.mutable_nodes()) {
    if (node.reported_generation() > 0) node.set_reported_generation(3);
    if (node.has_convergence()) node.mutable_convergence()->set_generation(3);
  }
  auto& snapshots = world.coordinator.snapshots;
  snapshots.assign(4, last);
  snapshots[0].mutable_nodes(0)->set_reported_generation(2);
  snapshots[1].mutable_nodes(1)->mutable_convergence()->mutable_step()->set_done_bytes(2000000);
  auto& waiting = *snapshots[1].mutable_nodes(2)->mutable_convergence();
  waiting.set_state(v1::Convergence::WAITING);
  waiting.mutable_troubles(0)->mutable_retry_at()->set_seconds(1722513620);
  v1::NodeSnapshot& done = *snapshots[3].mutable_nodes(1);
  done.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  done.set_assigned_state(v1::SERVING);
  done.set_reported_state(v1::SERVING);
  done.mutable_assigned_since()->set_seconds(1722513600);
  world.waits = 60;
}

void KeepNodes(World& world, const std::vector<int>& kept) {
  for (v1::Snapshot& snapshot : world.coordinator.snapshots) {
    v1::Snapshot whole = snapshot;
    snapshot.clear_nodes();
    for (const int node : kept) *snapshot.add_nodes() = whole.nodes(node);
  }
}

void EndsRight(World& world) {
  Following(world);
  KeepNodes(world, {0, 1});
}

void EndsWithoutOne(World& world) {
  Following(world);
  KeepNodes(world, {0, 4});
}

void SomebodyElseApplied(World& world) {
  Applied(world);
  world.coordinator.refusal =
      absl::AbortedError("generation 3 of the specification is the newest by now, not 2");
}

void NothingToChange(World& world) {
  Applied(world);
  for (v1::GetPreviewsResponse& previews : world.coordinator.previews) {
    for (v1::NodePreview& node : *previews.mutable_nodes()) {
      node.mutable_preview()->Clear();
      node.clear_unreachable();
    }
  }
}

// It stops all nodes, and waits for somebody's approval.
void AChangeTogether(World& world) {
  Applied(world);
  world.coordinator.plan.mutable_decision()->mutable_remember()->set_generation(2);
  for (v1::GetPreviewsResponse& previews : world.coordinator.previews) {
    v1::Outlook& outlook = *previews.mutable_outlook();
    outlook.set_kind(v1::Rollout::TOGETHER);
    outlook.set_text("this stops Connect on all nodes, about 4 min");
    outlook.add_because(
        "node-1, node-2: Connect 2024.05.0, to be 2024.08.0: Connect must be stopped on all nodes");
    outlook.add_unknown("node-5");
    outlook.set_needs("connect-ha approve");
  }
}

void ARefusedOne(World& world) {
  AChangeTogether(world);
  v1::Outlook& outlook = *world.coordinator.previews[1].mutable_outlook();
  outlook.set_refused("it no longer names what content is pinned to: R 4.1.3: 312 items");
  outlook.set_fix("name it in cluster.yaml again (runtimes)");
}

void AppliedAlready(World& world) {
  Applied(world);
  v1::SpecBundle bundle;
  LoadSpecBundle(kEnforced, bundle);
  *world.coordinator.specs[1].mutable_bundle() = bundle;
}

// It says so already, but a node holds a newer one that the coordinator has lost.
void AppliedAlreadyToAll(World& world) {
  AppliedAlready(world);
  v1::NodeSnapshot& node = *world.coordinator.snapshot.mutable_nodes(0);
  node.set_reported_generation(4);
  node.set_ahead(true);
}

void Converging(World& world) {
  v1::Snapshot& snapshot = world.coordinator.snapshot;
  ReadFixture("converging.textproto", snapshot);
  world.coordinator.checklist.clear_findings();
}

}  // namespace

std::vector<GoldenCase> SpecCases() {
  return {
      {"status/converging", {"status"}, Converging},
      {"apply/apply", {"apply", kEnforced, "--yes"}, Applied},
      {"apply/observe", {"apply", "tests/coordinator/cli/cluster.yaml", "--yes"}, Applied},
      {"apply/together", {"apply", kEnforced, "--yes"}, AChangeTogether},
      {"apply/refused", {"apply", kEnforced, "--yes"}, ARefusedOne},
      {"apply/no-terminal", {"apply", kEnforced}, Applied},
      {"apply/first",
       {"apply", kEnforced, "--yes"},
       [](World& w) {
         Applied(w);
         w.coordinator.specs.clear();
       }},
      {"apply/already", {"apply", kEnforced}, AppliedAlready},
      {"apply/already-but-ahead", {"apply", kEnforced, "--yes"}, AppliedAlreadyToAll},
      {"apply/overtaken", {"apply", kEnforced, "--yes"}, SomebodyElseApplied},
      {"apply/bad", {"apply", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"apply/wait", {"apply", kEnforced, "--yes", "--wait"}, EndsRight},
      {"apply/wait-stuck", {"apply", kEnforced, "--yes", "--wait"}, Following},
      {"apply/wait-not-heard", {"apply", kEnforced, "--yes", "--wait"}, EndsWithoutOne},
      {"apply/wait-timeout", {"apply", kEnforced, "--yes", "--wait", "--timeout", "2s"}, EndsRight},
      {"preview/preview", {"preview", kEnforced}, Applied},
      {"preview/observe", {"preview", "tests/coordinator/cli/cluster.yaml"}, Applied},
      {"preview/together", {"preview", kEnforced}, AChangeTogether},
      {"preview/nothing", {"preview", kEnforced}, NothingToChange},
      {"preview/json", {"preview", kEnforced, "--output", "json"}, Applied, true},
      {"preview/bad", {"preview", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"spec/show", {"spec", "show"}, Applied},
      {"spec/show-config", {"spec", "show", "2", "--part", "config"}, Applied},
      {"spec/show-no-config", {"spec", "show", "1", "--part", "config"}, Applied},
      {"spec/show-none", {"spec", "show", "7"}, Applied},
      {"spec/history", {"spec", "history"}, Applied},
      {"spec/history-json", {"spec", "history", "--output", "json"}, Applied, true},
      {"spec/diff", {"spec", "diff", "1", "2"}, Applied},
      {"spec/diff-same", {"spec", "diff", "2", "2"}, Applied},
      {"spec/diff-word", {"spec", "diff", "one", "2"}, Applied},
      {"spec/rollback", {"spec", "rollback", "1", "--yes"}, Applied},
  };
}

}  // namespace connect_ha
