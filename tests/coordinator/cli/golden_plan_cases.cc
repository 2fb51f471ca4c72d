// What nodes are told to be, and what people say of it.
#include "tests/coordinator/cli/clusters.h"
#include "tests/coordinator/cli/golden_cases.h"

namespace connect_ha {
namespace {

// The nodes as the coordinator would show them: three have reached what they were told.
void ShowNodes(const v1::Decision& decision, v1::Snapshot& snapshot) {
  snapshot.clear_nodes();
  snapshot.set_generation(3);
  snapshot.mutable_spec()->set_enforcement(v1::ENFORCE);
  for (const v1::NodeAssignment& told : decision.assignments()) {
    v1::NodeSnapshot& node = *snapshot.add_nodes();
    node.set_name(told.node());
    node.set_assigned_state(told.state());
    node.set_reported_state(told.state());
    node.set_assigned_reason(told.reason());
    *node.mutable_assigned_since() = told.since();
    node.set_waits_for(told.waits_for());
    node.set_agent_version("0.1.0");
    node.mutable_last_seen()->set_seconds(1722513599);
  }
  snapshot.mutable_nodes(1)->set_reported_state(v1::SERVING);
}

void Planned(World& world) {
  ReadFixture("plan.textproto", world.coordinator.plan);
  ShowNodes(world.coordinator.plan.decision(), world.coordinator.snapshot);
}

// The same, and nothing of it is done.
void Observed(World& world) {
  Planned(world);
  v1::GetPlanResponse& plan = world.coordinator.plan;
  *plan.mutable_would() = plan.decision();
  plan.mutable_decision()->clear_said();
  plan.mutable_decision()->clear_hazards();
  for (v1::NodeAssignment& told : *plan.mutable_decision()->mutable_assignments()) {
    told.set_state(v1::OBSERVED);
    told.set_reason("the specification only observes");
    told.clear_waits_for();
  }
  ShowNodes(plan.decision(), world.coordinator.snapshot);
  world.coordinator.snapshot.mutable_spec()->set_enforcement(v1::OBSERVE);
}

void Refused(World& world) {
  Planned(world);
  world.coordinator.plan.add_broken("node-2 would leave service, and no other node serves");
}

void DiskFull(World& world) {
  Planned(world);
  const v1::Snapshot planned = world.coordinator.snapshot;
  JudgedOf(world, "disk-has-room", "fail");
  world.coordinator.snapshot = planned;
}

}  // namespace

std::vector<GoldenCase> PlanCases() {
  return {
      {"plan/plan", {"plan"}, Planned},
      {"plan/observed", {"plan"}, Observed},
      {"plan/refused", {"plan"}, Refused},
      {"plan/empty", {"plan"}, {}},
      {"plan/json", {"plan", "--output", "json"}, Planned, true},
      {"plan/status", {"status"}, DiskFull},
      {"plan/nodes", {"nodes"}, Planned},
      {"plan/checklist", {"checklist"}, DiskFull},
      {"plan/checklist-all", {"checklist", "--all"}, DiskFull},
      {"plan/checklist-rule", {"checklist", "--rule", "disk-has-room"}, DiskFull},
      {"plan/checklist-json", {"checklist", "--output", "json"}, DiskFull, true},
      {"plan/checklist-junit", {"checklist", "--strict", "--output", "junit"}, DiskFull, true},
      {"plan/checklist-junit-advice", {"checklist", "--output", "junit"}, DiskFull, true},
      {"plan/drain", {"node", "drain", "node-2", "--reason", "kernel update", "--now"}, Planned},
      {"plan/uncordon", {"node", "uncordon", "node-2", "--reason", "done"}, Planned},
      {"plan/uncordon-nothing", {"node", "uncordon", "node-1", "--reason", "done"}, Planned},
      {"plan/no-reason", {"node", "cordon", "node-1"}, Planned},
      {"plan/no-node", {"node", "cordon", "nod-1", "--reason", "done"}, Planned},
      {"plan/unfence-no-end", {"node", "unfence", "node-3", "--reason", "done"}, Planned},
      {"plan/waive",
       {"waive", "clocks-are-synchronised", "--node", "node-4", "--until", "2h", "--reason",
        "NTP is being moved"},
       Planned},
      {"plan/waive-no-end", {"waive", "clocks-are-synchronised", "--reason", "a"}, Planned},
      {"plan/waive-no-rule",
       {"waive", "clock-are-synchronised", "--until", "2h", "--reason", "a"},
       Planned},
      {"plan/waive-wrong-end",
       {"waive", "clocks-are-synchronised", "--until", "soon", "--reason", "a"},
       Planned},
      {"other/states", {"states"}, {}},
      {"other/states-dot", {"states", "--dot"}, {}, true},
      {"other/states-markdown", {"states", "--markdown"}, {}, true},
  };
}

}  // namespace connect_ha
