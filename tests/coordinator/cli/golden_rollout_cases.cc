// Changes of the cluster: how far they are, what went wrong, what people say of them, how they
// ended.
#include "tests/coordinator/cli/golden_cases.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

RolloutStatus& Rollout(World& world) {
  return *world.coordinator.plan.mutable_decision()->mutable_rollout();
}

// All nodes were stopped; the first is looked at.
void First(World& world) {
  ReadFixture("rollout.textproto", world.coordinator.plan);
  v1::Snapshot& snapshot = world.coordinator.snapshot;
  snapshot.clear_nodes();
  snapshot.set_generation(8);
  snapshot.mutable_spec()->set_enforcement(v1::ENFORCE);
  for (const v1::NodeAssignment& told : world.coordinator.plan.decision().assignments()) {
    v1::NodeSnapshot& node = *snapshot.add_nodes();
    node.set_name(told.node());
    node.set_assigned_state(told.state());
    node.set_reported_state(told.state());
    node.mutable_last_seen()->set_seconds(1722513599);
  }
}

void Halted(World& world) {
  First(world);
  RolloutStatus& rollout = Rollout(world);
  rollout.set_standing(RolloutStatus::HALTED);
  rollout.set_reason(
      "node-1: Connect does not start: rstudio-connect.service exited with 1, 3 times\n"
      "level=error msg=\"cannot migrate\" table=\"applications\"");
  rollout.add_fixes("to go on, once it may go well: connect-ha node start node-1 --reason ...");
  rollout.add_fixes(
      "to go back, put the database back first to what it was before 2024.08.0, then: connect-ha "
      "rollout restored --version 2024.05.0 --reason ...; connect-ha spec rollback 7");
  rollout.clear_left_us();
  v1::RolloutStep& step = *rollout.mutable_nodes(0);
  step.set_step(v1::RolloutStep::FAILED);
  step.clear_left_us();
  step.clear_waits_for();
}

// Every node is ready for the next generation, which nobody has approved.
void Awaiting(World& world) {
  First(world);
  world.coordinator.plan.clear_words();
  v1::Decision& decision = *world.coordinator.plan.mutable_decision();
  decision.mutable_remember()->Clear();
  for (v1::NodeAssignment& told : *decision.mutable_assignments()) {
    told.set_state(v1::SERVING);
    told.clear_closed();
    told.set_reason("it is as the specification says");
    told.clear_waits_for();
  }
  for (v1::NodeSnapshot& node : *world.coordinator.snapshot.mutable_nodes()) {
    node.set_assigned_state(v1::SERVING);
    node.set_reported_state(v1::SERVING);
  }
  RolloutStatus& rollout = Rollout(world);
  rollout.set_phase(RolloutStatus::AWAITING);
  rollout.set_standing(RolloutStatus::WAITS);
  rollout.set_reason(
      "a person's approval, since it stops Connect on all nodes: connect-ha approve 8 --reason "
      "...");
  rollout.clear_left_us();
  rollout.clear_begun();
  for (v1::RolloutStep& step : *rollout.mutable_nodes()) {
    step.set_step(v1::RolloutStep::WAITING);
    step.set_state(v1::SERVING);
    step.set_reported_state(v1::SERVING);
    step.clear_closed();
    step.mutable_since()->set_seconds(1722513540);
    step.clear_left_us();
    step.clear_waits_for();
  }
  v1::Outlook& outlook = *rollout.mutable_outlook();
  outlook.set_kind(v1::Rollout::TOGETHER);
  outlook.set_text("this stops Connect on all nodes, about 4 min");
  outlook.add_because(
      "node-1, node-2: Connect 2024.05.0, to be 2024.08.0: Connect must be stopped on all nodes");
  outlook.set_needs("connect-ha approve 8");
}

void NoChange(World& world) {
  First(world);
  world.coordinator.plan.mutable_decision()->clear_rollout();
}

void Past(World& world) {
  v1::Rollout rollout;
  rollout.set_generation(8);
  rollout.set_from(7);
  rollout.set_kind(v1::Rollout::TOGETHER);
  rollout.set_applied_by("admin/alice");
  rollout.set_approved_by("admin/bob");
  rollout.mutable_began_at()->set_seconds(1722513000);
  rollout.mutable_in_force_at()->set_seconds(1722513060);
  rollout.set_first("node-1");
  rollout.mutable_verified_at()->set_seconds(1722513180);
  rollout.mutable_opened_at()->set_seconds(1722513190);
  rollout.mutable_ended_at()->set_seconds(1722513300);
  rollout.set_end(v1::Rollout::DONE);
  for (const char* name : {"node-1", "node-2"}) {
    v1::RolloutNode& node = *rollout.add_nodes();
    node.set_node(name);
    node.set_to_change(true);
    node.set_out_us(200'000'000);
    node.set_refused(41);
  }
  v1::Rollout before = rollout;
  before.set_generation(7);
  before.set_from(6);
  before.set_kind(v1::Rollout::ROLLING);
  before.clear_approved_by();
  before.clear_first();
  before.set_end(v1::Rollout::ABORTED);
  before.mutable_nodes(1)->set_out_us(0);
  before.mutable_nodes(1)->clear_refused();
  // Two attempts of the next one: the window was over, then a person gave it up.
  v1::Rollout back = rollout;
  back.set_generation(9);
  back.set_from(8);
  back.clear_in_force_at();
  back.clear_first();
  back.clear_verified_at();
  back.clear_opened_at();
  back.set_end(v1::Rollout::WENT_BACK);
  back.set_remarks("the maintenance window Sun 02:00-04:00 UTC is over");
  v1::Rollout aborted = back;
  aborted.set_end(v1::Rollout::ABORTED);
  aborted.set_remarks("aborted by admin/bob: not today");
  aborted.mutable_began_at()->set_seconds(1722513500);
  aborted.mutable_ended_at()->set_seconds(1722513590);
  world.coordinator.rollouts = {aborted, back, rollout, before};
}

// The one that is under way, and one that is to come.
void Two(World& world) {
  Halted(world);
  RolloutStatus& next = *Rollout(world).mutable_next();
  next.set_generation(9);
  next.set_kind(v1::Rollout::TOGETHER);
  next.set_phase(RolloutStatus::REFUSED);
  next.set_standing(RolloutStatus::HALTED);
  next.set_reason(
      "Connect 2024.05.0 is older than 2024.08.0, which may have migrated the database");
  next.add_fixes("connect-ha rollout restored --version 2024.05.0 --reason ...");
  next.mutable_since()->set_seconds(1722513540);
}

// Begun in the window, which was over before all had stopped.
void WentBack(World& world) {
  Awaiting(world);
  v1::Rollout& begun = *Rollout(world).mutable_begun();
  begun.set_generation(8);
  begun.set_from(7);
  begun.set_end(v1::Rollout::WENT_BACK);
  begun.mutable_ended_at()->set_seconds(1722513300);
  begun.set_remarks("the maintenance window Sun 02:00-04:00 UTC is over");
}

}  // namespace

std::vector<GoldenCase> RolloutCases() {
  return {
      {"rollout/status", {"rollout", "status"}, First},
      {"rollout/halted", {"rollout", "status"}, Halted},
      {"rollout/awaiting", {"rollout", "status"}, Awaiting},
      {"rollout/two", {"rollout", "status"}, Two},
      {"rollout/went-back", {"rollout", "status"}, WentBack},
      {"rollout/abort-which", {"rollout", "abort", "--reason", "not today"}, Two},
      {"rollout/none", {"rollout", "status"}, NoChange},
      {"rollout/json", {"rollout", "status", "--json"}, First, true},
      {"rollout/watch-halted", {"rollout", "status", "--watch"}, Halted},
      {"rollout/plan", {"plan"}, First},
      {"rollout/pause", {"rollout", "pause", "--reason", "node-2 is slow"}, First},
      {"rollout/approve", {"approve", "8", "--now", "--reason", "agreed"}, First},
      {"rollout/approve-nothing", {"approve", "--reason", "agreed"}, NoChange},
      {"rollout/approve-no-reason", {"approve", "8"}, First},
      {"rollout/resume-nothing", {"rollout", "resume", "--reason", "done"}, First},
      {"rollout/restored-no-version", {"rollout", "restored", "--reason", "done"}, First},
      {"rollout/history", {"history"}, Past},
      {"rollout/history-empty", {"history"}, {}},
      {"rollout/history-json", {"history", "--json"}, Past, true},
      {"rollout/phases", {"rollout", "phases"}, {}},
      {"rollout/phases-json", {"rollout", "phases", "--json"}, {}, true},
      {"rollout/phases-markdown", {"rollout", "phases", "--markdown"}, {}, true},
  };
}

}  // namespace connect_ha
