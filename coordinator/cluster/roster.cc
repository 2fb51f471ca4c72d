#include "coordinator/cluster/roster.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/log.h"
#include "common/tls/crypto.h"
#include "coordinator/cluster/node/bounds.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/cluster/node/step.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/identity/enrolment.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kDefaultStaleAfter{30};
constexpr size_t kChallengeBytes = 16;

// By another machine, or after it was removed: as the store drops what the plan remembers of it.
bool IsTakenInAnew(const v1::NodeRecord* before, const v1::NodeRecord& now) {
  if (now.removed()) return false;
  return before == nullptr || before->removed() || before->machine_id() != now.machine_id();
}

}  // namespace

Roster::Roster(Store& store, Time started)
    : store_(store),
      started_(started),
      proof_challenge_(Hex(RandomBytes(kChallengeBytes))),
      stale_after_us_(std::chrono::microseconds(kDefaultStaleAfter).count()),
      newest_(std::make_shared<const v1::Desired>()) {
  SetSpec(v1::Desired());
}

Roster::~Roster() = default;

void Roster::SetSpec(const v1::Desired& newest, const std::string& applied_by) {
  auto spec = std::make_shared<v1::Desired>(newest);
  spec->set_lineage(store_.lineage());
  std::lock_guard changing(specs_changing_);
  {
    std::lock_guard lock(spec_mutex_);
    if (in_force_ == nullptr) BeginToJudgeBy(*spec);
    newest_ = std::move(spec);
    newest_by_ = applied_by;
  }
  Judge();
}

void Roster::SetInForce(const v1::Desired& desired) {
  auto spec = std::make_shared<v1::Desired>(desired);
  spec->set_lineage(store_.lineage());
  std::lock_guard changing(specs_changing_);
  {
    std::lock_guard lock(spec_mutex_);
    const v1::Desired& before = in_force_ == nullptr ? *newest_ : *in_force_;
    if (HasNext(before, *spec)) BeginToJudgeBy(*spec);
    in_force_ = std::move(spec);
  }
  Judge();
}

// Whoever finds it finds that it was not judged by yet.
void Roster::BeginToJudgeBy(const v1::Desired& desired) {
  std::chrono::microseconds stale_after = kDefaultStaleAfter;
  if (desired.spec().limits().has_stale_after()) {
    const auto& limit = desired.spec().limits().stale_after();
    stale_after =
        std::chrono::seconds(limit.seconds()) + std::chrono::microseconds(limit.nanos() / 1000);
  }
  stale_after_us_ = stale_after.count();
  spec_changed_at_ = std::numeric_limits<uint64_t>::max();
}

// By what is in force now. That a node is ahead of the newest is seen by rules, too.
void Roster::Judge() {
  const uint64_t changed = Changed();
  if (spec_changed_at_ == std::numeric_limits<uint64_t>::max()) spec_changed_at_ = changed;
}

void Roster::OnChange(std::function<void()> changed) { on_change_ = std::move(changed); }

void Roster::TellChanged() const {
  if (on_change_) on_change_();
}

uint64_t Roster::Changed() {
  const uint64_t number = ++changes_;
  TellChanged();
  return number;
}

void Roster::SetBalancer(std::shared_ptr<const v1::BalancerLook> look) {
  {
    std::lock_guard lock(spec_mutex_);
    balancer_ = std::move(look);
  }
  Changed();
}

v1::LoadBalancerSpec Roster::LoadBalancer() const { return InForce()->spec().load_balancer(); }

Generations Roster::SpecsNow() const {
  std::lock_guard lock(spec_mutex_);
  return {in_force_ == nullptr ? newest_ : in_force_, newest_, newest_by_};
}

bool Roster::HasInForce() const {
  std::lock_guard lock(spec_mutex_);
  return in_force_ != nullptr;
}

std::shared_ptr<const v1::Desired> Roster::InForce() const { return SpecsNow().in_force; }

std::shared_ptr<const v1::BalancerLook> Roster::Balancer() const {
  std::lock_guard lock(spec_mutex_);
  return balancer_;
}

std::chrono::microseconds Roster::StaleAfter() const {
  return std::chrono::microseconds(stale_after_us_.load());
}

Roster::NodePointer Roster::Find(const std::string& name) const {
  std::shared_lock lock(nodes_mutex_);
  const auto node = nodes_.find(name);
  return node == nodes_.end() ? nullptr : node->second;
}

Roster::NodePointer Roster::FindOrAdd(const std::string& name) {
  std::unique_lock lock(nodes_mutex_);
  NodePointer& node = nodes_[name];
  if (node == nullptr) node = std::make_shared<Node>(name);
  return node;
}

std::vector<Roster::NodePointer> Roster::Nodes() const {
  std::shared_lock lock(nodes_mutex_);
  std::vector<NodePointer> nodes;
  nodes.reserve(nodes_.size());
  for (const auto& [name, node] : nodes_) nodes.push_back(node);
  return nodes;
}

std::vector<std::string> Roster::RemovedAmong(const std::vector<std::string>& nodes) const {
  std::vector<std::string> removed;
  for (const std::string& name : nodes) {
    if (removed.size() == kMostForgotten) break;
    const NodePointer node = Find(name);
    if (node == nullptr) continue;
    std::lock_guard lock(node->mutex);
    if (node->known.removed) removed.push_back(name);
  }
  return removed;
}

absl::Status Roster::Admit(const Certificate& certificate, Time now) {
  const std::string& name = certificate.identity.name;
  const NodePointer node = Find(name);
  std::shared_ptr<const v1::NodeRecord> known;
  if (node != nullptr) {
    std::lock_guard lock(node->mutex);
    known = node->record;
  }
  if (known != nullptr) return CheckNodeStands(*known, certificate);
  v1::NodeRecord record;
  record.set_name(name);
  *record.mutable_enrolled_at() = ToProto(now);
  *record.mutable_certificates_since() = ToProto(certificate.not_before);
  const absl::Status added = store_.AddNode(record);
  if (absl::IsAlreadyExists(added)) {  // at the same time, by another call
    const auto stored = store_.GetNode(name);
    if (!stored.ok()) return stored.status();
    Enrolled(*stored);
    return CheckNodeStands(*stored, certificate);
  }
  if (!added.ok()) return added;
  Enrolled(record);
  RecordEvents({MakeEvent(v1::Event::NODE_ENROLLED, name,
                          "known by its certificate, not by the store: is it an older copy?", now)})
      .IgnoreError();  // said in the log
  return absl::OkStatus();
}

void Roster::Enrolled(const v1::NodeRecord& record) {
  while (true) {
    const NodePointer node = FindOrAdd(record.name());
    std::lock_guard call(node->call_mutex);
    // Removing holds the lock, too: whichever comes last finds what both have made of it.
    auto stored = store_.GetNode(record.name());
    auto latest = std::make_shared<const v1::NodeRecord>(stored.ok() ? *std::move(stored) : record);
    std::lock_guard lock(node->mutex);
    if (node->let_go) continue;
    if (node->known.removed && !latest->removed()) Forget(node->known);
    if (IsTakenInAnew(node->record.get(), *latest)) {
      node->admission = ++admissions_;
      node->assigned.reset();
    }
    node->known.removed = latest->removed();
    node->known.changes_taken = latest->changes_taken();
    node->record = std::move(latest);
    node->changed_at = Changed();
    return;
  }
}

absl::Status Roster::Remove(const std::string& name, const std::function<absl::Status()>& remove) {
  const NodePointer node = Find(name);
  if (node == nullptr) return remove();  // says what is wrong
  std::lock_guard call(node->call_mutex);
  absl::Status removed = remove();
  if (!removed.ok()) return removed;
  std::lock_guard lock(node->mutex);
  Forget(node->known);
  node->known.removed = true;
  node->assigned.reset();
  v1::NodeRecord record = node->record == nullptr ? v1::NodeRecord() : *node->record;
  record.set_removed(true);
  node->record = std::make_shared<const v1::NodeRecord>(std::move(record));
  Changed();
  return absl::OkStatus();
}

uint64_t Roster::NewestGenerationHeld(uint64_t most) const {
  uint64_t newest = 0;
  for (const NodePointer& node : Nodes()) {
    std::lock_guard lock(node->mutex);
    const Reported& said = node->known.said;
    if (node->known.removed || !said.own_lineage || said.generation > most) continue;
    newest = std::max(newest, said.generation);
  }
  return newest;
}

uint64_t Roster::Refresh(Time now) {
  // Milliseconds, so that a restarted coordinator does not ask under a number already answered.
  const uint64_t number = static_cast<uint64_t>(now.time_since_epoch().count() / 1000);
  uint64_t before = refresh_.load();
  while (!refresh_.compare_exchange_weak(before, std::max(before + 1, number))) {
  }
  return std::max(before + 1, number);
}

v1::RefreshStatusResponse Roster::RefreshStatus(uint64_t number, uint64_t judged, Time now) const {
  v1::RefreshStatusResponse response;
  for (const NodePointer& node : Nodes()) {
    std::lock_guard lock(node->mutex);
    const KnownNode& known = node->known;
    if (known.removed) continue;
    if (known.gathered >= number && node->gathered_change <= judged) {
      response.add_done(node->name);
    } else if (known.heard && now - *known.last_seen <= StaleAfter()) {
      response.add_pending(node->name);
    } else {
      response.add_unreachable(node->name);
    }
  }
  return response;
}

bool Roster::Settled(Time now) const {
  if (now - started_.load() >= StaleAfter()) return true;
  const auto nodes = Nodes();
  return std::all_of(nodes.begin(), nodes.end(), [](const NodePointer& node) {
    std::lock_guard lock(node->mutex);
    const KnownNode& known = node->known;
    return known.removed || known.lost || known.facts == nullptr || known.heard;
  });
}

absl::Status Roster::RecordEvents(const std::vector<v1::Event>& events) {
  if (events.empty()) return absl::OkStatus();
  for (const v1::Event& event : events) {
    const bool expected = event.kind() == v1::Event::NODE_STATE_CHANGED ||
                          event.kind() == v1::Event::CONVERGENCE_CHANGED;
    spdlog::log(expected ? spdlog::level::info : spdlog::level::warn, "event={} node={} text={}",
                v1::Event::Kind_Name(event.kind()), event.node(), LogValue(event.text()));
  }
  absl::Status stored = store_.AddEvents(events);
  if (!stored.ok()) spdlog::error("cannot store events: {}", std::string(stored.message()));
  return stored;
}

}  // namespace connect_ha
