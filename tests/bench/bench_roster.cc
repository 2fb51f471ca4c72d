#include "tests/bench/bench_roster.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/bench/bench_cluster.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

constexpr size_t kWriters = 16;  // whose writes are committed in groups
constexpr int64_t kStaleAfterSeconds = 180;
constexpr char kAddress[] = "10.0.0.1";

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::unique_ptr<Store> OpenIn(const TemporaryDirectory& directory) {
  auto store = SqliteStore::Open(directory / "store.db");
  Require(store.status());
  return *std::move(store);
}

// `act` on each, by several threads.
template <typename Act>
void Spread(const std::vector<std::string>& nodes, Act act) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> writers;
  for (size_t i = 0; i < std::min(kWriters, nodes.size()); ++i) {
    writers.emplace_back([&] {
      for (size_t at = next++; at < nodes.size(); at = next++) act(nodes[at]);
    });
  }
  for (std::thread& writer : writers) writer.join();
}

v1::Desired DesiredOf(const Store& store, Time now) {
  v1::Desired desired;
  desired.set_generation(1);
  *desired.mutable_spec() = test::BaseCluster().spec();
  desired.mutable_spec()->mutable_limits()->mutable_stale_after()->set_seconds(kStaleAfterSeconds);
  *desired.mutable_applied_at() = ToProto(now);
  desired.set_lineage(store.lineage());
  return desired;
}

}  // namespace

std::vector<std::string> BenchNames(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("node-", i));
  return names;
}

BenchRoster::BenchRoster(int count, Time now)
    : store_(OpenIn(directory_)), roster_(*store_, now), evaluator_(roster_, *store_) {
  Require(roster_.Load());
  const v1::Desired desired = DesiredOf(*store_, now);
  roster_.SetSpec(desired);
  Require(evaluator_.Load());
  quiet_ = BenchReport("node");
  quiet_.clear_facts_bytes();
  quiet_.set_reported_generation(desired.generation());
  quiet_.set_reported_lineage(desired.lineage());
  *quiet_.mutable_reported_applied_at() = desired.applied_at();
  const auto nodes = BenchNames(count);
  Spread(nodes, [&](const std::string& node) { Enrol(node, now); });
  Change(nodes, 0, now);
}

void BenchRoster::Enrol(const std::string& node, Time now) {
  v1::NodeRecord record;
  record.set_name(node);
  *record.mutable_enrolled_at() = ToProto(now);
  Require(store_->AddNode(record));
  roster_.Enrolled(record);
}

v1::HeartbeatRequest BenchRoster::Report(const std::string& node) const {
  v1::HeartbeatRequest report = quiet_;
  report.set_node(node);
  const Held& held = held_.at(node);
  ChangeReport(report, held.number);
  if (held.version == Version::kAnother) {
    v1::Facts other;  // what comes later in the bytes holds
    other.mutable_connect()->mutable_package()->set_version("2024.06.0~ubuntu22");
    report.mutable_facts_bytes()->append(other.SerializeAsString());
  }
  report.mutable_convergence()->set_generation(quiet_.reported_generation());
  report.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  return report;
}

void BenchRoster::Change(const std::vector<std::string>& nodes, int number, Time now,
                         Version version) {
  for (const std::string& node : nodes) held_[node] = {number, version};
  Spread(nodes, [&](const std::string& node) { Send(Report(node), now); });
}

void BenchRoster::Beat(const std::vector<std::string>& nodes, Time now) {
  for (const std::string& node : nodes) {
    quiet_.set_node(node);
    quiet_.set_facts_digest(BenchDigest(held_.at(node).number));
    if (Send(quiet_, now).send_facts()) Send(Report(node), now);
  }
}

v1::HeartbeatResponse BenchRoster::Send(const v1::HeartbeatRequest& request, Time now) {
  auto response = roster_.Heartbeat(request, kAddress, now);
  Require(response.status());
  return *std::move(response);
}

void BenchRoster::Remove(const std::string& node, Time removed_at) {
  v1::AuditEntry entry;
  entry.set_action(v1::AuditEntry::NODE_REMOVED);
  entry.set_actor("admin/bench");
  entry.set_subject(node);
  Require(
      roster_.Remove(node, [&] { return store_->RemoveNode(node, entry, removed_at).status(); }));
}

double BenchRoster::StoreMiB() const {
  double bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
    bytes += static_cast<double>(file.file_size());
  }
  return bytes / (1024 * 1024);
}

}  // namespace connect_ha
