#include "coordinator/cluster/roster.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/heartbeat.h"
#include "common/log.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/identity/enrolment.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kDefaultStaleAfter{30};

}  // namespace

Roster::Roster(Store& store, Time started)
    : store_(store),
      started_(started),
      stale_after_us_(std::chrono::microseconds(kDefaultStaleAfter).count()),
      desired_(std::make_shared<const v1::Desired>()) {}

Roster::~Roster() = default;

absl::Status Roster::Load() {
  const auto records = store_.ListNodes();
  if (!records.ok()) return records.status();
  for (const v1::NodeRecord& record : *records) Enrolled(record);
  auto reports = store_.ListReports();
  if (!reports.ok()) return reports.status();
  for (v1::NodeReport& report : *reports) {
    Node& node = FindOrAdd(report.node());
    std::lock_guard lock(node.mutex);
    if (node.removed) continue;
    node.facts = std::make_shared<const v1::Facts>(std::move(*report.mutable_facts()));
    node.digest = report.facts_digest();
    node.machine_id = report.machine_id();
    node.boot_id = report.boot_id();
    node.agent_version = report.agent_version();
    node.facts_received_at = node.last_seen = FromProto(report.received_at());
  }
  const auto losses = store_.ListLosses();
  if (!losses.ok()) return losses.status();
  for (const v1::Event& loss : *losses) {
    Node* node = Find(loss.node());
    if (node == nullptr) continue;
    std::lock_guard lock(node->mutex);
    if (node->removed) continue;
    node->lost = true;
    node->WasStillHeard(FromProto(loss.at()) - StaleAfter());
  }
  return LoadLastSeen();
}

// Calls are not stored. But when the checklist was judged last, a node that was not lost had been
// heard within the limit.
absl::Status Roster::LoadLastSeen() {
  const auto checklist = store_.GetChecklist();
  if (!checklist.ok()) return checklist.status();
  if (!checklist->has_evaluated_at()) return absl::OkStatus();
  for (Node* node : Nodes()) {
    std::lock_guard lock(node->mutex);
    if (!node->lost) node->WasStillHeard(FromProto(checklist->evaluated_at()) - StaleAfter());
  }
  return absl::OkStatus();
}

void Roster::SetSpec(const v1::Desired& desired) {
  std::chrono::microseconds stale_after = kDefaultStaleAfter;
  if (desired.spec().limits().has_stale_after()) {
    const auto& limit = desired.spec().limits().stale_after();
    stale_after =
        std::chrono::seconds(limit.seconds()) + std::chrono::microseconds(limit.nanos() / 1000);
  }
  {
    std::lock_guard lock(spec_mutex_);
    desired_ = std::make_shared<const v1::Desired>(desired);
  }
  stale_after_us_ = stale_after.count();
  ++changes_;
}

std::shared_ptr<const v1::Desired> Roster::InForce() const {
  std::lock_guard lock(spec_mutex_);
  return desired_;
}

std::chrono::microseconds Roster::StaleAfter() const {
  return std::chrono::microseconds(stale_after_us_.load());
}

Roster::Node* Roster::Find(const std::string& name) const {
  std::shared_lock lock(nodes_mutex_);
  const auto node = nodes_.find(name);
  return node == nodes_.end() ? nullptr : node->second.get();
}

Roster::Node& Roster::FindOrAdd(const std::string& name) {
  std::unique_lock lock(nodes_mutex_);
  auto& node = nodes_[name];
  if (node == nullptr) node = std::make_unique<Node>(name);
  return *node;
}

std::vector<Roster::Node*> Roster::Nodes() const {
  std::shared_lock lock(nodes_mutex_);
  std::vector<Node*> nodes;
  nodes.reserve(nodes_.size());
  for (const auto& [name, node] : nodes_) nodes.push_back(node.get());
  return nodes;
}

absl::Status Roster::Admit(const Certificate& certificate, Time now) {
  const std::string& name = certificate.identity.name;
  Node* node = Find(name);
  if (node != nullptr) {
    std::lock_guard lock(node->mutex);
    return CheckNodeStands(node->record, certificate);
  }
  v1::NodeRecord record;
  record.set_name(name);
  *record.mutable_enrolled_at() = ToProto(now);
  *record.mutable_certificates_since() = ToProto(certificate.not_before);
  absl::Status stored = store_.PutNode(record);
  if (!stored.ok()) return stored;
  Enrolled(record);
  RecordEvents(
      {MakeEvent(v1::Event::NODE_ENROLLED, name,
                 "known by its certificate, not by the store: is it an older copy?", now)});
  return absl::OkStatus();
}

void Roster::Enrolled(const v1::NodeRecord& record) {
  Node& node = FindOrAdd(record.name());
  std::lock_guard lock(node.mutex);
  if (node.removed && !record.removed()) node.Forget();
  node.record = record;
  node.removed = record.removed();
  ++changes_;
}

absl::Status Roster::Remove(const std::string& name, const std::function<absl::Status()>& remove) {
  Node* node = Find(name);
  if (node == nullptr) return remove();  // says what is wrong
  std::lock_guard reports(node->report_mutex);
  absl::Status removed = remove();
  if (!removed.ok()) return removed;
  std::lock_guard lock(node->mutex);
  node->Forget();
  node->removed = true;
  node->record.set_removed(true);
  ++changes_;
  return absl::OkStatus();
}

absl::StatusOr<v1::HeartbeatResponse> Roster::Heartbeat(const v1::HeartbeatRequest& request,
                                                        const std::string& address, Time now) {
  Node* node = Find(request.node());
  if (node == nullptr) return absl::NotFoundError("no node " + request.node());
  std::vector<v1::Event> events;
  bool take = false;
  {
    std::lock_guard lock(node->mutex);
    const bool was_heard = node->heard && !node->lost;
    events = node->Hear(request, address, StaleAfter(), now);
    if (!was_heard || !events.empty()) ++changes_;
    take = request.has_facts() && !node->in_conflict;
  }
  RecordEvents(events);
  if (take) {
    const absl::Status taken = TakeReport(*node, request, now);
    if (!taken.ok()) return taken;
  }
  const absl::Status taken = TakeChanges(*node, request);
  if (!taken.ok()) return taken;
  v1::HeartbeatResponse response = Answer(*node, request, now);
  Assign(*node, request, now, &response);
  return response;
}

absl::Status Roster::TakeReport(Node& node, const v1::HeartbeatRequest& request, Time now) {
  std::lock_guard reports(node.report_mutex);
  bool held = false;
  {
    std::lock_guard lock(node.mutex);
    if (node.removed) return absl::PermissionDeniedError("node " + node.name + " was removed");
    held = node.Holds(request);
  }
  v1::NodeReport report;
  *report.mutable_facts() = request.facts();
  if (!held) {
    report.set_node(node.name);
    report.set_machine_id(request.machine_id());
    report.set_boot_id(request.boot_id());
    report.set_agent_version(request.agent_version());
    *report.mutable_received_at() = ToProto(now);
    report.set_facts_digest(request.facts_digest());
    absl::Status stored = store_.PutReport(report);
    if (!stored.ok()) return stored;
  }
  auto facts = std::make_shared<const v1::Facts>(std::move(*report.mutable_facts()));
  std::lock_guard lock(node.mutex);
  node.Hold(request, std::move(facts), now);
  ++changes_;
  return absl::OkStatus();
}

v1::HeartbeatResponse Roster::Answer(Node& node, const v1::HeartbeatRequest& request, Time now) {
  const uint64_t refresh = refresh_.load();
  v1::HeartbeatResponse response;
  response.set_next_heartbeat_ms(static_cast<uint32_t>(kHeartbeatInterval.count()));
  response.set_coordinator_received_us(now.time_since_epoch().count());
  if (refresh > request.gathered()) response.set_gather(refresh);
  std::lock_guard lock(node.mutex);
  if (node.in_conflict) {
    response.set_conflict("two live machines claim this name: " + node.claimants.Describe());
  } else if (node.Holds(request)) {
    node.gathered = std::max(node.gathered, request.gathered());
  } else {
    response.set_send_facts(true);
  }
  return response;
}

uint64_t Roster::Refresh(Time now) {
  // Milliseconds, so that a restarted coordinator does not ask under a number already answered.
  const uint64_t number = static_cast<uint64_t>(now.time_since_epoch().count() / 1000);
  uint64_t before = refresh_.load();
  while (!refresh_.compare_exchange_weak(before, std::max(before + 1, number))) {
  }
  return std::max(before + 1, number);
}

v1::RefreshStatusResponse Roster::RefreshStatus(uint64_t number, Time now) const {
  v1::RefreshStatusResponse response;
  for (const Node* node : Nodes()) {
    std::lock_guard lock(node->mutex);
    if (node->removed) continue;
    if (node->gathered >= number) {
      response.add_done(node->name);
    } else if (node->heard && now - *node->last_seen <= StaleAfter()) {
      response.add_pending(node->name);
    } else {
      response.add_unreachable(node->name);
    }
  }
  return response;
}

void Roster::Tick(Time now) {
  const auto stale_after = StaleAfter();
  std::vector<v1::Event> events;
  for (Node* node : Nodes()) {
    std::lock_guard lock(node->mutex);
    if (node->removed || !node->last_seen) continue;
    node->claimants.ForgetBefore(now - stale_after);
    node->NoteConflict(now, events);
    // What happened while the coordinator was away is not known: count from its start.
    const Time from = node->heard ? *node->last_seen : std::max(*node->last_seen, started_);
    if (node->lost || now - from <= stale_after) continue;
    node->lost = true;
    events.push_back(MakeEvent(v1::Event::NODE_LOST, node->name,
                               absl::StrCat("not heard for ", FormatSpan(now - from)), now));
  }
  if (!events.empty()) ++changes_;
  RecordEvents(events);
}

bool Roster::Settled(Time now) const {
  if (now - started_ >= StaleAfter()) return true;
  const auto nodes = Nodes();
  return std::all_of(nodes.begin(), nodes.end(), [](const Node* node) {
    std::lock_guard lock(node->mutex);
    return node->removed || node->lost || !node->facts || node->heard;
  });
}

void Roster::RecordEvents(const std::vector<v1::Event>& events) {
  if (events.empty()) return;
  for (const v1::Event& event : events) {
    const bool expected = event.kind() == v1::Event::NODE_STATE_CHANGED ||
                          event.kind() == v1::Event::CONVERGENCE_CHANGED;
    spdlog::log(expected ? spdlog::level::info : spdlog::level::warn, "event={} node={} text={}",
                v1::Event::Kind_Name(event.kind()), event.node(), LogValue(event.text()));
  }
  const absl::Status stored = store_.AddEvents(events);
  if (!stored.ok()) spdlog::error("cannot store events: {}", std::string(stored.message()));
}

}  // namespace connect_ha
