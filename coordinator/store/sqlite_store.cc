#include "coordinator/store/sqlite_store.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/store/rows/event_rows.h"
#include "coordinator/store/rows/memory_rows.h"
#include "coordinator/store/rows/plan_rows.h"
#include "coordinator/store/rows/rows.h"
#include "coordinator/store/store_wait.h"

namespace connect_ha {
namespace {

// Release 0.1 stored the message itself.
void MakeFactsBytes(v1::NodeReport& report) {
  if (!report.has_facts()) return;
  if (report.facts_bytes().empty()) report.set_facts_bytes(Bytes(report.facts()));
  report.clear_facts();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  return Open(path, std::chrono::time_point_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now()));
}

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path, Time now) {
  auto opened = OpenStore(path, now);
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<SqliteStore>(new SqliteStore(path, *std::move(opened)));
}

SqliteStore::SqliteStore(std::string path, OpenedStore opened)
    : path_(std::move(path)),
      opened_(std::move(opened)),
      commits_(*opened_.writer, [this](Database& database) { return CheckEpoch(database); }) {}

absl::Status SqliteStore::CheckNodeIsThere(Database& database, const std::string& name) {
  const auto node = GetNamed<v1::NodeRecord>(database, kNodes, name);
  if (!node.ok()) return node.status();
  return node->removed() ? absl::NotFoundError("node " + name + " is removed") : absl::OkStatus();
}

bool SqliteStore::superseded() const {
  if (superseded_) return true;
  const StoreWait wait;
  std::lock_guard lock(reader_mutex_);
  CheckEpoch(*opened_.reader).IgnoreError();  // what cannot be read does not say so
  return superseded_;
}

absl::Status SqliteStore::CheckEpoch(Database& database) const {
  if (database.moved()) {
    superseded_ = true;
  } else if (!superseded_) {
    const auto latest = LatestEpoch(database);
    if (!latest.ok()) return latest.status();
    if (*latest != opened_.epoch) superseded_ = true;
  }
  if (!superseded_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("store ", path_, ": another coordinator has opened it since, or its file was ",
                   "replaced; this one writes no more\nfix: leave one coordinator running, and "
                   "restart it: systemctl restart connect-ha-coordinator"));
}

absl::Status SqliteStore::AddNode(const v1::NodeRecord& node) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    const absl::Status present = GetNamed<v1::NodeRecord>(database, kNodes, node.name()).status();
    if (present.ok()) return absl::AlreadyExistsError("node " + node.name() + " exists");
    if (!absl::IsNotFound(present)) return present;
    const absl::Status forgotten = ForgetPlanOf(database, node.name());
    return forgotten.ok() ? PutNamed(database, kNodes, node) : forgotten;
  });
}

absl::StatusOr<v1::NodeRecord> SqliteStore::GetNode(const std::string& name) {
  std::lock_guard lock(reader_mutex_);
  return GetNamed<v1::NodeRecord>(*opened_.reader, kNodes, name);
}

absl::StatusOr<std::vector<v1::NodeRecord>> SqliteStore::ListNodes() {
  std::lock_guard lock(reader_mutex_);
  return ListNamed<v1::NodeRecord>(*opened_.reader, kNodes);
}

absl::StatusOr<std::vector<std::string>> SqliteStore::PurgeNodes(Time removed_before) {
  std::vector<std::string> purged;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    const auto nodes = ListNamed<v1::NodeRecord>(database, kNodes);
    if (!nodes.ok()) return nodes.status();
    for (const v1::NodeRecord& node : *nodes) {
      if (!node.removed() || !node.has_removed_at()) continue;
      if (FromProto(node.removed_at()) >= removed_before) continue;
      const absl::Status deleted =
          database.Prepare("DELETE FROM nodes WHERE name = ?").Bind(node.name()).Run();
      if (!deleted.ok()) return deleted;
      purged.push_back(node.name());
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return purged;
}

absl::Status SqliteStore::PutReport(const v1::NodeReport& report) {
  const std::string bytes = Bytes(report);  // here, not on the one writer thread
  return commits_.Commit([&](Database& database) -> absl::Status {
    const absl::Status there = CheckNodeIsThere(database, report.node());
    if (!there.ok()) return there;
    return database.Prepare("INSERT OR REPLACE INTO reports (node, report) VALUES (?, ?)")
        .Bind(report.node())
        .BindBlob(bytes)
        .Run();
  });
}

absl::Status SqliteStore::VisitReports(const std::function<absl::Status(v1::NodeReport)>& visit) {
  std::lock_guard lock(reader_mutex_);
  Statement statement = opened_.reader->Prepare("SELECT report FROM reports ORDER BY node");
  while (true) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    auto report = Parse<v1::NodeReport>(statement.Blob(0));
    if (!report.ok()) return report.status();
    MakeFactsBytes(*report);
    const absl::Status visited = visit(*std::move(report));
    if (!visited.ok()) return visited;
  }
}

absl::Status SqliteStore::PutMemories(Time evaluated_at,
                                      const std::vector<v1::FindingMemory>& changed,
                                      const std::vector<std::string>& gone,
                                      const std::vector<v1::Event>& events) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    const absl::Status put = PutMemoryRows(database, evaluated_at, changed, gone);
    return put.ok() ? AddEventRows(database, events) : put;
  });
}

absl::StatusOr<Store::Memories> SqliteStore::GetMemories() {
  std::lock_guard lock(reader_mutex_);
  return GetMemoryRows(*opened_.reader);
}

absl::StatusOr<uint64_t> SqliteStore::AddEvent(const v1::Event& event) {
  absl::StatusOr<uint64_t> id;
  const absl::Status status = commits_.Commit([&](Database& database) {
    id = AddEventRow(database, event);
    return id.status();
  });
  if (!status.ok()) return status;
  return id;
}

absl::Status SqliteStore::AddEvents(const std::vector<v1::Event>& events) {
  return commits_.Commit([&](Database& database) { return AddEventRows(database, events); });
}

absl::StatusOr<std::vector<v1::Event>> SqliteStore::ListEvents(const EventQuery& query) {
  std::lock_guard lock(reader_mutex_);
  return ListEventRows(*opened_.reader, query);
}

absl::StatusOr<std::vector<v1::Event>> SqliteStore::ListLosses() {
  std::lock_guard lock(reader_mutex_);
  return ListLossRows(*opened_.reader);
}

absl::StatusOr<uint64_t> SqliteStore::AddNodeChanges(const std::string& node,
                                                     const std::vector<NumberedEvent>& changes) {
  uint64_t taken = 0;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto record = GetNamed<v1::NodeRecord>(database, kNodes, node);
    if (!record.ok()) return record.status();
    taken = record->changes_taken();
    for (const NumberedEvent& change : changes) {
      if (change.number <= taken) continue;
      const absl::Status added = AddEventRow(database, change.event).status();
      if (!added.ok()) return added;
      taken = change.number;
    }
    if (taken == record->changes_taken()) return absl::OkStatus();
    record->set_changes_taken(taken);
    return PutNamed(database, kNodes, *record);
  });
  if (!status.ok()) return status;
  return taken;
}

}  // namespace connect_ha
