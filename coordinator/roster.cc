#include "coordinator/roster.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "coordinator/claimants.h"
#include "coordinator/clock_samples.h"
#include "coordinator/enrolment.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kDefaultStaleAfter{30};

v1::Event MakeEvent(v1::Event::Kind kind, const std::string& node, const std::string& text,
                    Time now) {
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(kind);
  event.set_node(node);
  event.set_actor("coordinator");
  event.set_text(text);
  return event;
}

// Facts of which nothing is known, and why.
void SetUnobserved(const std::string& reason, v1::NodeSnapshot* snapshot) {
  v1::Unobserved* unobserved = snapshot->mutable_facts()->add_unobserved();
  unobserved->set_reason(reason);
}

}  // namespace

struct Roster::Node {
  const std::string name;

  // Held while this node's report is written: its reports reach the store one after the other.
  std::mutex report_mutex;

  mutable std::mutex mutex;  // all below
  bool removed = false;
  v1::NodeRecord record;
  std::optional<Time> last_seen;
  bool heard = false;  // since the coordinator started
  bool lost = false;
  bool in_conflict = false;
  Claimants claimants;
  ClockSamples clock;
  std::string agent_version;
  v1::NodeState reported_state = v1::NODE_STATE_UNSPECIFIED;
  uint64_t gathered = 0;

  std::shared_ptr<const v1::Facts> facts;
  std::string digest, machine_id, boot_id;  // of the facts held
  std::optional<Time> facts_received_at;
  // Since when the node says that it holds others.
  std::optional<Time> outdated_since;

  explicit Node(std::string node_name) : name(std::move(node_name)) {}

  bool Holds(const v1::HeartbeatRequest& request) const {
    return facts != nullptr && !digest.empty() && digest == request.facts_digest() &&
           machine_id == request.machine_id() && boot_id == request.boot_id();
  }

  void Hold(const v1::HeartbeatRequest& request, std::shared_ptr<const v1::Facts> taken, Time now) {
    facts = std::move(taken);
    digest = request.facts_digest();
    machine_id = request.machine_id();
    boot_id = request.boot_id();
    facts_received_at = now;
    outdated_since.reset();
  }

  void Forget() {
    last_seen.reset();
    heard = lost = in_conflict = false;
    claimants = Claimants();
    clock.Clear();
    gathered = 0;
    facts.reset();
    digest.clear();
    facts_received_at.reset();
    outdated_since.reset();
  }

  // Notes that the node called; returns what is worth an event.
  std::vector<v1::Event> Hear(const v1::HeartbeatRequest& request, const std::string& address,
                              std::chrono::microseconds stale_after, Time now) {
    std::vector<v1::Event> events;
    if (std::exchange(lost, false)) {
      const auto away = last_seen ? now - *last_seen : std::chrono::microseconds(0);
      events.push_back(MakeEvent(v1::Event::NODE_BACK, name,
                                 absl::StrCat("back after ", FormatSpan(away)), now));
    }
    claimants.Heard(request.machine_id(), request.boot_id(), address, now);
    claimants.ForgetBefore(now - stale_after);
    NoteConflict(now, events);
    last_seen = now;
    heard = true;
    agent_version = request.agent_version();
    reported_state = request.reported_state();
    if (request.has_last_exchange()) clock.Add(request.last_exchange());
    if (Holds(request)) {
      outdated_since.reset();
    } else if (!outdated_since) {
      outdated_since = now;
    }
    return events;
  }

  void NoteConflict(Time now, std::vector<v1::Event>& events) {
    if (claimants.conflict() == in_conflict) return;
    in_conflict = !in_conflict;
    clock.Clear();  // of which machine?
    events.push_back(MakeEvent(v1::Event::NODE_CONFLICT, name,
                               (in_conflict ? "two live machines claim this name: "
                                            : "one machine is left under this name: ") +
                                   claimants.Describe(),
                               now));
  }
};

Roster::Roster(Store& store, Time started)
    : store_(store),
      started_(started),
      stale_after_us_(std::chrono::microseconds(kDefaultStaleAfter).count()),
      spec_(std::make_shared<const v1::ClusterSpec>()) {}

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
  const auto lost = store_.ListLostNodes();
  if (!lost.ok()) return lost.status();
  for (const std::string& name : *lost) {
    Node* node = Find(name);
    if (node != nullptr && !node->removed) node->lost = true;
  }
  return absl::OkStatus();
}

void Roster::SetSpec(const v1::ClusterSpec& spec) {
  std::chrono::microseconds stale_after = kDefaultStaleAfter;
  if (spec.limits().has_stale_after()) {
    const auto& limit = spec.limits().stale_after();
    stale_after =
        std::chrono::seconds(limit.seconds()) + std::chrono::microseconds(limit.nanos() / 1000);
  }
  {
    std::lock_guard lock(spec_mutex_);
    spec_ = std::make_shared<const v1::ClusterSpec>(spec);
  }
  stale_after_us_ = stale_after.count();
  ++changes_;
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
  return Answer(*node, request, now);
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
  response.set_assigned_state(v1::OBSERVED);
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

v1::Snapshot Roster::TakeSnapshot(Time now, bool with_facts) const {
  v1::Snapshot snapshot;
  *snapshot.mutable_taken_at() = ToProto(now);
  snapshot.set_coordinator_version(CONNECT_HA_VERSION);
  {
    std::lock_guard lock(spec_mutex_);
    *snapshot.mutable_spec() = *spec_;
  }
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
  std::shared_ptr<const v1::Facts> facts;
  std::string unobserved;
  {
    std::lock_guard lock(node.mutex);
    if (node.removed) return;
    snapshot->set_name(node.name);
    snapshot->set_assigned_state(v1::OBSERVED);
    snapshot->set_reported_state(node.reported_state);
    snapshot->set_agent_version(node.agent_version);
    if (node.last_seen) *snapshot->mutable_last_seen() = ToProto(*node.last_seen);
    if (node.facts_received_at) {
      *snapshot->mutable_facts_received_at() = ToProto(*node.facts_received_at);
    }
    for (v1::Claimant& claimant : node.claimants.Current()) {
      *snapshot->add_claimants() = std::move(claimant);
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
    spdlog::warn("event={} node={} text={}", v1::Event::Kind_Name(event.kind()), event.node(),
                 LogValue(event.text()));
  }
  const absl::Status stored = store_.AddEvents(events);
  if (!stored.ok()) spdlog::error("cannot store events: {}", std::string(stored.message()));
}

}  // namespace connect_ha
