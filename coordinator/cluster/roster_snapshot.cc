#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {
namespace {

// Facts of which nothing is known, and why.
void SetUnobserved(const std::string& reason, v1::NodeSnapshot* snapshot) {
  v1::Unobserved* unobserved = snapshot->mutable_facts()->add_unobserved();
  unobserved->set_reason(reason);
}

}  // namespace

v1::Snapshot Roster::TakeSnapshot(Time now, bool with_facts) const {
  v1::Snapshot snapshot;
  *snapshot.mutable_taken_at() = ToProto(now);
  snapshot.set_coordinator_version(CONNECT_HA_VERSION);
  const auto desired = InForce();
  *snapshot.mutable_spec() = desired->spec();
  snapshot.set_generation(desired->generation());
  for (const Node* node : Nodes()) {
    v1::NodeSnapshot one;
    FillSnapshot(*node, now, with_facts, &one);
    if (!one.name().empty()) *snapshot.add_nodes() = std::move(one);
  }
  return snapshot;
}

absl::StatusOr<v1::NodeSnapshot> Roster::TakeNode(const std::string& name, Time now) const {
  v1::NodeSnapshot snapshot;
  const Node* node = Find(name);
  if (node != nullptr) FillSnapshot(*node, now, /*with_facts=*/true, &snapshot);
  if (!snapshot.name().empty()) return snapshot;
  std::vector<std::string> known;
  for (const Node* other : Nodes()) {
    std::lock_guard lock(other->mutex);
    if (!other->removed) known.push_back(other->name);
  }
  return absl::NotFoundError(
      absl::StrCat("no node ", name, "\nfix: ",
                   known.empty() ? "no node is enrolled yet: connect-ha token create"
                                 : "name one of these: " + absl::StrJoin(known, ", ")));
}

// Leaves `snapshot` empty for a removed node.
void Roster::FillSnapshot(const Node& node, Time now, bool with_facts,
                          v1::NodeSnapshot* snapshot) const {
  const auto desired = InForce();
  std::shared_ptr<const v1::Facts> facts;
  std::string unobserved;
  {
    std::lock_guard lock(node.mutex);
    if (node.removed) return;
    *snapshot = node.Said();
    const Assigned assigned = AssignState(*desired, *snapshot, node.facts.get());
    snapshot->set_assigned_state(assigned.state);
    snapshot->set_assigned_reason(assigned.reason);
    snapshot->set_ahead(IsAhead(*desired, *snapshot));
    snapshot->set_agent_version(node.agent_version);
    if (node.last_seen) *snapshot->mutable_last_seen() = ToProto(*node.last_seen);
    if (node.facts_received_at) {
      *snapshot->mutable_facts_received_at() = ToProto(*node.facts_received_at);
    }
    if (const auto clock = node.clock.Best()) *snapshot->mutable_clock() = *clock;
    if (node.in_conflict) {
      unobserved = "two live machines claim this name: " + node.claimants.Describe();
    } else if (node.facts && node.outdated_since && now - *node.outdated_since > kFactsGrace) {
      unobserved = absl::StrCat("the node has had other facts for ",
                                FormatSpan(now - *node.outdated_since), " and has not sent them");
    }
    facts = node.facts;
  }
  if (!with_facts) return;
  if (!unobserved.empty()) {
    SetUnobserved(unobserved, snapshot);
  } else if (facts != nullptr) {
    *snapshot->mutable_facts() = *facts;  // copied outside the lock
  }
}

}  // namespace connect_ha
