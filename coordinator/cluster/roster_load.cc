// What the roster knows at the start: what the store has.
#include <spdlog/spdlog.h>

#include <utility>

#include "coordinator/cluster/node/facts_look.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"

namespace connect_ha {
namespace {

// `at`, or later; nothing for a node that never called.
void WasStillHeard(KnownNode& node, Time at) {
  if (node.last_seen && *node.last_seen < at) node.last_seen = at;
}

}  // namespace

absl::Status Roster::Load() {
  absl::Status loaded = LoadNodes();
  if (loaded.ok()) loaded = LoadReports();
  if (loaded.ok()) loaded = LoadLosses();
  return loaded.ok() ? LoadLastSeen() : loaded;
}

absl::Status Roster::LoadNodes() {
  auto records = store_.ListNodes();
  if (!records.ok()) return records.status();
  for (v1::NodeRecord& record : *records) {
    const NodePointer node = FindOrAdd(record.name());
    std::lock_guard lock(node->mutex);
    node->known.removed = record.removed();
    node->known.changes_taken = record.changes_taken();
    if (!record.removed()) node->admission = ++admissions_;
    node->record = std::make_shared<const v1::NodeRecord>(std::move(record));
  }
  Changed();
  return absl::OkStatus();
}

// What cannot be read is as what was never reported: the node is asked for it.
absl::Status Roster::LoadReports() {
  const auto desired = InForce();
  return store_.VisitReports([&](const v1::NodeReport& report) {
    const auto facts = TakeFacts(report, desired->spec(), desired->generation());
    if (!facts.ok()) {
      spdlog::error("{}", std::string(facts.status().message()));
      return absl::OkStatus();
    }
    const NodePointer node = Find(report.node());
    if (node == nullptr) return absl::OkStatus();
    std::lock_guard lock(node->mutex);
    if (node->known.removed) return absl::OkStatus();
    node->known.facts = *facts;
    node->known.agent_version = report.agent_version();
    node->known.last_seen = (*facts)->received_at;
    return absl::OkStatus();
  });
}

absl::Status Roster::LoadLosses() {
  const auto losses = store_.ListLosses();
  if (!losses.ok()) return losses.status();
  for (const v1::Event& loss : *losses) {
    const NodePointer node = Find(loss.node());
    if (node == nullptr) continue;
    std::lock_guard lock(node->mutex);
    if (node->known.removed) continue;
    node->known.lost = node->known.loss_told = true;
    WasStillHeard(node->known, FromProto(loss.at()) - StaleAfter());
  }
  return absl::OkStatus();
}

// Calls are not stored. But when the checklist was judged last, a node that was not lost had been
// heard within the limit.
absl::Status Roster::LoadLastSeen() {
  const auto memories = store_.GetMemories();
  if (!memories.ok()) return memories.status();
  if (!memories->evaluated_at) return absl::OkStatus();
  for (const NodePointer& node : Nodes()) {
    std::lock_guard lock(node->mutex);
    if (!node->known.lost) WasStillHeard(node->known, *memories->evaluated_at - StaleAfter());
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
