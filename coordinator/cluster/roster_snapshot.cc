// The nodes as they are shown and judged.
#include <chrono>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cluster/node/brief.h"
#include "coordinator/cluster/node/step.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"

namespace connect_ha {
namespace {

// Facts of which nothing is known, and why.
void SetUnobserved(const std::string& reason, v1::NodeSnapshot* snapshot) {
  v1::Unobserved* unobserved = snapshot->mutable_facts()->add_unobserved();
  unobserved->set_reason(reason);
}

// What the node said, but for its facts.
void FillSaid(const std::string& name, const KnownNode& known, v1::NodeSnapshot* snapshot) {
  snapshot->set_name(name);
  snapshot->set_reported_state(known.said.state);
  snapshot->set_reported_generation(known.said.generation);
  if (known.said.applied_at) *snapshot->mutable_reported_applied_at() = *known.said.applied_at;
  if (known.said.convergence) *snapshot->mutable_convergence() = *known.said.convergence;
  for (v1::Claimant& claimant : known.claimants.Current()) {
    *snapshot->add_claimants() = std::move(claimant);
  }
  snapshot->set_agent_version(known.agent_version);
  snapshot->set_allow(known.said.allow);
  if (known.trusted_signers != nullptr) {
    for (const std::string& signer : *known.trusted_signers) snapshot->add_trusted_signers(signer);
  }
  if (known.last_seen) *snapshot->mutable_last_seen() = ToProto(*known.last_seen);
  if (known.back_at) *snapshot->mutable_back_at() = ToProto(*known.back_at);
  if (const auto clock = known.clock.Best()) *snapshot->mutable_clock() = *clock;
}

// Of a snapshot or a brief; of a node that was given nothing yet, that it is only observed.
template <typename Message>
void FillAssigned(const v1::NodeAssignment* assigned, Message* message) {
  if (assigned == nullptr) {
    message->set_assigned_state(v1::OBSERVED);
    return;
  }
  message->set_assigned_state(assigned->state());
  message->set_assigned_reason(assigned->reason());
  message->set_waits_for(assigned->waits_for());
  if (assigned->has_since()) *message->mutable_assigned_since() = assigned->since();
}

}  // namespace

void Roster::TakeAll(Time now, FactsWanted wanted, v1::Snapshot* snapshot) const {
  *snapshot->mutable_taken_at() = ToProto(now);
  snapshot->set_coordinator_version(CONNECT_HA_VERSION);
  const auto desired = InForce();
  *snapshot->mutable_spec() = desired->spec();
  snapshot->set_generation(desired->generation());
  if (const auto balancer = Balancer()) *snapshot->mutable_balancer() = *balancer;
  snapshot->set_proof_challenge(proof_challenge_);
  for (const NodePointer& node : Nodes()) {
    if (!FillSnapshot(*node, now, wanted, snapshot->add_nodes())) {
      snapshot->mutable_nodes()->RemoveLast();
    }
  }
}

v1::Snapshot Roster::TakeSnapshot(Time now, bool with_facts) const {
  v1::Snapshot snapshot;
  TakeAll(now, with_facts ? FactsWanted::kHeld : FactsWanted::kNone, &snapshot);
  return snapshot;
}

void Roster::TakeCounted(Time now, v1::Snapshot* snapshot) const {
  TakeAll(now, FactsWanted::kCounted, snapshot);
}

absl::StatusOr<v1::NodeSnapshot> Roster::TakeNode(const std::string& name, Time now) const {
  v1::NodeSnapshot snapshot;
  const NodePointer node = Find(name);
  if (node != nullptr && FillSnapshot(*node, now, FactsWanted::kHeld, &snapshot)) return snapshot;
  std::vector<std::string> known;
  for (const NodePointer& other : Nodes()) {
    std::lock_guard lock(other->mutex);
    if (!other->known.removed) known.push_back(other->name);
  }
  return absl::NotFoundError(
      absl::StrCat("no node ", name, "\nfix: ",
                   known.empty() ? "no node is enrolled yet: connect-ha token create"
                                 : "name one of these: " + absl::StrJoin(known, ", ")));
}

bool Roster::FillSnapshot(const Node& node, Time now, FactsWanted wanted,
                          v1::NodeSnapshot* snapshot) const {
  const Generations specs = SpecsNow();
  const auto stale_after = StaleAfter();
  CountedFacts counted;
  bool in_conflict = false;
  std::shared_ptr<const HeldFacts> facts;
  {
    std::lock_guard lock(node.mutex);
    const KnownNode& known = node.known;
    if (known.removed) return false;
    FillSaid(node.name, known, snapshot);
    FillAssigned(node.assigned.get(), snapshot);
    snapshot->set_ahead(IsAhead(*specs.newest, known.said));
    snapshot->set_odd(IsOdd(*specs.newest, known.said));
    counted = Count(known, stale_after, now);
    in_conflict = known.in_conflict;
    facts = known.facts;
  }
  if (facts != nullptr) {
    *snapshot->mutable_facts_received_at() = ToProto(facts->received_at);
    snapshot->set_digest_key_id(facts->digest_key_id);
  }
  if (wanted == FactsWanted::kNone) return true;
  // Those of a node that is not heard are shown, with their age, and are not judged.
  const bool shown = counted.stale && wanted == FactsWanted::kHeld;
  if (counted.facts != nullptr || shown) {
    if (snapshot->mutable_facts()->ParseFromString(*facts->bytes)) return true;
    snapshot->clear_facts();
    SetUnobserved("what is held of it cannot be read", snapshot);
    return true;
  }
  if (in_conflict || (facts != nullptr && !counted.stale)) SetUnobserved(counted.why_not, snapshot);
  return true;
}

std::vector<v1::NodeBrief> Roster::Briefs(Time now) const {
  std::vector<v1::NodeBrief> briefs;
  for (const NodePointer& node : Nodes()) {
    if (!FillBrief(*node, now, &briefs.emplace_back())) briefs.pop_back();
  }
  return briefs;
}

bool Roster::FillBrief(const Node& node, Time now, v1::NodeBrief* brief) const {
  const auto desired = InForce();
  const auto stale_after = StaleAfter();
  std::shared_ptr<const HeldFacts> facts;
  {
    std::lock_guard lock(node.mutex);
    const KnownNode& known = node.known;
    if (known.removed) return false;
    FillSaid(node.name, known, brief);
    FillAssigned(node.assigned.get(), brief);
    if (Count(known, stale_after, now).facts != nullptr) facts = known.facts;
  }
  if (facts != nullptr) *brief->mutable_facts() = BriefOf(*facts, *desired);
  return true;
}

}  // namespace connect_ha
