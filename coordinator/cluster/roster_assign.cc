// What a node is told to be, and what it says it made of it.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/cluster/roster_text.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {
namespace {

// While something is under way: its progress is watched.
constexpr uint32_t kBusyHeartbeatMs = 1000;
// A node that did not say where it stands is asked again after this.
constexpr std::chrono::seconds kAskConvergenceAgain{60};

std::string StateName(v1::NodeState state) {
  return absl::AsciiStrToLower(v1::NodeState_Name(state));
}

}  // namespace

absl::Status Roster::TakeChanges(Node& node, const v1::HeartbeatRequest& request) {
  std::vector<NumberedEvent> changes;
  {
    std::lock_guard lock(node.mutex);
    if (node.in_conflict || node.removed) return absl::OkStatus();
    for (const v1::ChangeMade& made : request.changes_made()) {
      if (made.number() <= node.record.changes_taken()) continue;
      v1::Event event;
      *event.mutable_at() = made.at();
      event.set_kind(v1::Event::RESOURCE_CHANGED);
      event.set_node(node.name);
      event.set_actor(absl::StrCat("node/", node.name));
      event.set_text(ChangeText(made));
      changes.push_back({made.number(), std::move(event)});
    }
  }
  if (changes.empty()) return absl::OkStatus();
  const auto taken = store_.AddNodeChanges(node.name, changes);
  if (!taken.ok()) return taken.status();
  for (const NumberedEvent& change : changes) {
    spdlog::info("event=RESOURCE_CHANGED node={} text={}", node.name,
                 LogValue(change.event.text()));
  }
  std::lock_guard lock(node.mutex);
  node.record.set_changes_taken(std::max(node.record.changes_taken(), *taken));
  return absl::OkStatus();
}

uint64_t Roster::NewestGenerationHeld(uint64_t most) const {
  uint64_t newest = 0;
  for (const Node* node : Nodes()) {
    std::lock_guard lock(node->mutex);
    if (node->removed || node->reported_generation > most) continue;
    newest = std::max(newest, node->reported_generation);
  }
  return newest;
}

void Roster::Assign(Node& node, const v1::HeartbeatRequest& request, Time now,
                    v1::HeartbeatResponse* response) {
  const auto desired = InForce();
  const uint64_t generation = desired->generation();
  std::vector<v1::Event> events;
  {
    std::lock_guard lock(node.mutex);
    const v1::NodeSnapshot said = node.Said();
    const Assigned assigned = AssignState(*desired, said, node.facts.get());
    const bool ahead = IsAhead(*desired, said);
    response->set_assigned_state(assigned.state);
    response->set_changes_taken(node.record.changes_taken());
    // Of two machines under one name neither is given anything new.
    const bool frozen = node.in_conflict;
    response->set_assigned_generation(frozen ? request.reported_generation() : generation);
    if (!frozen && !ahead && request.reported_generation() != generation) {
      *response->mutable_desired() = *desired;
    }
    if (node.convergence && node.convergence->state() == v1::Convergence::CHANGING) {
      response->set_next_heartbeat_ms(kBusyHeartbeatMs);
    }
    const bool silent = generation > 0 && request.reported_generation() == generation &&
                        !node.convergence && !frozen;
    if (silent &&
        (!node.convergence_asked_at || now - *node.convergence_asked_at > kAskConvergenceAgain)) {
      node.convergence_asked_at = now;
      response->set_send_facts(true);
    }
    if (!frozen && std::exchange(node.ahead, ahead) != ahead) {
      events.push_back(MakeEvent(v1::Event::NODE_AHEAD, node.name,
                                 ahead ? assigned.reason : "it is no longer ahead", now));
    }
    const v1::NodeState before = std::exchange(node.assigned, assigned.state);
    if (before != v1::NODE_STATE_UNSPECIFIED && before != assigned.state) {
      events.push_back(MakeEvent(
          v1::Event::NODE_STATE_CHANGED, node.name,
          absl::StrCat("to be ", StateName(assigned.state), ", was to be ", StateName(before),
                       assigned.reason.empty() ? "" : ": ", assigned.reason),
          now));
    }
  }
  RecordEvents(events);
}

}  // namespace connect_ha
