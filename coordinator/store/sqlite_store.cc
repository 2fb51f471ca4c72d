#include "coordinator/store/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/spec_rows.h"
#include "coordinator/store/tokens.h"

namespace connect_ha {
namespace {

// A coordinator that waits longer than this for a lock says so instead.
constexpr int kBusyTimeoutMs = 2000;
constexpr int64_t kEventsKept = 100'000;

absl::Status PutNodeRow(Database& database, const v1::NodeRecord& node) {
  const std::string bytes = Bytes(node);
  return database.Prepare("INSERT OR REPLACE INTO nodes (name, record) VALUES (?, ?)")
      .Bind(node.name())
      .BindBlob(bytes)
      .Run();
}

absl::StatusOr<v1::NodeRecord> GetNodeRow(Database& database, const std::string& name) {
  Statement statement = database.Prepare("SELECT record FROM nodes WHERE name = ?");
  statement.Bind(name);
  return ReadOne<v1::NodeRecord>(statement, "node " + name);
}

absl::StatusOr<uint64_t> AddEventRow(Database& database, const v1::Event& event) {
  v1::Event stored = event;
  stored.clear_id();  // the row's
  const std::string bytes = Bytes(stored);
  const absl::Status added =
      database.Prepare("INSERT INTO events (kind, node, rule, event) VALUES (?, ?, ?, ?)")
          .Bind(int64_t{event.kind()})
          .Bind(event.node())
          .Bind(event.rule())
          .BindBlob(bytes)
          .Run();
  if (!added.ok()) return added;
  const int64_t id = database.last_insert_id();
  if (id % 1000 == 0) {
    const absl::Status dropped =
        database.Prepare("DELETE FROM events WHERE id <= ?").Bind(id - kEventsKept).Run();
    if (!dropped.ok()) return dropped;
  }
  return static_cast<uint64_t>(id);
}

absl::Status AddEventRows(Database& database, const std::vector<v1::Event>& events) {
  for (const v1::Event& event : events) {
    const absl::Status added = AddEventRow(database, event).status();
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

// Of rows of (event, id), in their order.
absl::StatusOr<std::vector<v1::Event>> ReadEvents(Statement& statement) {
  std::vector<v1::Event> events;
  while (true) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return events;
    auto event = Parse<v1::Event>(statement.Blob(0));
    if (!event.ok()) return event.status();
    event->set_id(static_cast<uint64_t>(statement.Integer(1)));
    events.push_back(*std::move(event));
  }
}

absl::Status PutTokenRow(Database& database, const v1::StoredToken& token) {
  const std::string bytes = Bytes(token);
  return database.Prepare("UPDATE tokens SET token = ? WHERE id = ?")
      .BindBlob(bytes)
      .Bind(token.token().id())
      .Run();
}

absl::StatusOr<v1::StoredToken> GetTokenRow(Database& database, const std::string& id) {
  Statement statement = database.Prepare("SELECT token FROM tokens WHERE id = ?");
  statement.Bind(id);
  return ReadOne<v1::StoredToken>(statement, "token " + id);
}

absl::Status PutFindingRows(Database& database, const v1::Checklist& checklist) {
  absl::Status status = database.Prepare("DELETE FROM findings").Run();
  for (int i = 0; status.ok() && i < checklist.findings_size(); ++i) {
    const std::string bytes = Bytes(checklist.findings(i));
    status = database.Prepare("INSERT INTO findings (rule, position, finding) VALUES (?, ?, ?)")
                 .Bind(checklist.findings(i).rule())
                 .Bind(int64_t{i})
                 .BindBlob(bytes)
                 .Run();
  }
  if (!status.ok()) return status;
  return database.Prepare("INSERT OR REPLACE INTO evaluation VALUES (1, ?)")
      .Bind(int64_t{FromProto(checklist.evaluated_at()).time_since_epoch().count()})
      .Run();
}

// The lock is on a file beside the store, since SQLite's own locks are not held between
// transactions. The kernel gives it back when the process ends, however it ends.
absl::StatusOr<int> LockForOneCoordinator(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("store ", path, ": ", lock_path, ": ", std::strerror(errno),
                     "\nfix: run \"connect-ha init\" first, as the coordinator's user"));
  }
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  return absl::UnavailableError(
      absl::StrCat("store ", path, ": another coordinator has it open\nfix: end it (fuser ",
                   lock_path, "), or use another --dir"));
}

absl::Status CreatePrivately(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::PermissionDeniedError(absl::StrCat("store ", path, ": ", std::strerror(errno),
                                                    "\nfix: check the directory's owner and mode"));
  }
  close(file);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> OpenWriter(const std::string& path) {
  const absl::Status created = CreatePrivately(path);
  if (!created.ok()) return created;
  auto database = Database::Open(path, kBusyTimeoutMs);
  if (!database.ok()) return database.status();
  absl::Status status = (*database)->Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;"
      "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;");
  if (status.ok()) status = MigrateSchema(**database);
  if (!status.ok()) return status;
  return database;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  const auto lock = LockForOneCoordinator(path);
  if (!lock.ok()) return lock.status();
  auto writer = OpenWriter(path);
  absl::StatusOr<std::unique_ptr<Database>> reader = absl::UnknownError("not opened");
  if (writer.ok()) reader = Database::Open(path, kBusyTimeoutMs);
  if (!writer.ok() || !reader.ok()) {
    close(*lock);
    return writer.ok() ? reader.status() : writer.status();
  }
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(*lock, *std::move(writer), *std::move(reader)));
}

SqliteStore::SqliteStore(int lock, std::unique_ptr<Database> writer,
                         std::unique_ptr<Database> reader)
    : lock_(lock), writer_(std::move(writer)), reader_(std::move(reader)), commits_(*writer_) {}

SqliteStore::~SqliteStore() { close(lock_); }

absl::Status SqliteStore::PutNode(const v1::NodeRecord& node) {
  return commits_.Commit([&](Database& database) { return PutNodeRow(database, node); });
}

absl::StatusOr<v1::NodeRecord> SqliteStore::GetNode(const std::string& name) {
  std::lock_guard lock(reader_mutex_);
  return GetNodeRow(*reader_, name);
}

absl::StatusOr<std::vector<v1::NodeRecord>> SqliteStore::ListNodes() {
  std::lock_guard lock(reader_mutex_);
  Statement statement = reader_->Prepare("SELECT record FROM nodes ORDER BY name");
  return ReadAll<v1::NodeRecord>(statement);
}

absl::Status SqliteStore::PutReport(const v1::NodeReport& report) {
  const std::string bytes = Bytes(report);  // here, not on the one writer thread
  return commits_.Commit([&](Database& database) {
    return database.Prepare("INSERT OR REPLACE INTO reports (node, report) VALUES (?, ?)")
        .Bind(report.node())
        .BindBlob(bytes)
        .Run();
  });
}

absl::Status SqliteStore::RemoveReport(const std::string& node) {
  return commits_.Commit([&](Database& database) {
    return database.Prepare("DELETE FROM reports WHERE node = ?").Bind(node).Run();
  });
}

absl::StatusOr<std::vector<v1::NodeReport>> SqliteStore::ListReports() {
  std::lock_guard lock(reader_mutex_);
  Statement statement = reader_->Prepare("SELECT report FROM reports ORDER BY node");
  return ReadAll<v1::NodeReport>(statement);
}

absl::Status SqliteStore::PutChecklist(const v1::Checklist& checklist,
                                       const std::vector<v1::Event>& changes) {
  return commits_.Commit([&](Database& database) {
    const absl::Status status = PutFindingRows(database, checklist);
    return status.ok() ? AddEventRows(database, changes) : status;
  });
}

absl::StatusOr<v1::Checklist> SqliteStore::GetChecklist() {
  std::lock_guard lock(reader_mutex_);
  v1::Checklist checklist;
  Statement evaluation = reader_->Prepare("SELECT evaluated_at_us FROM evaluation");
  const auto row = evaluation.Step();
  if (!row.ok()) return row.status();
  if (!*row) return checklist;
  *checklist.mutable_evaluated_at() =
      ToProto(Time(std::chrono::microseconds(evaluation.Integer(0))));
  Statement statement = reader_->Prepare("SELECT finding FROM findings ORDER BY position");
  auto findings = ReadAll<v1::Finding>(statement);
  if (!findings.ok()) return findings.status();
  for (v1::Finding& finding : *findings) *checklist.add_findings() = std::move(finding);
  return checklist;
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
  std::string sql = "SELECT event, id FROM events WHERE id > ?";
  if (!query.node.empty()) sql += " AND node = ?";
  if (!query.rule.empty()) sql += " AND rule = ?";
  std::lock_guard lock(reader_mutex_);
  Statement statement = reader_->Prepare(sql + " ORDER BY id DESC LIMIT ?");
  statement.Bind(static_cast<int64_t>(query.after_id));
  if (!query.node.empty()) statement.Bind(query.node);
  if (!query.rule.empty()) statement.Bind(query.rule);
  statement.Bind(int64_t{query.limit});
  auto events = ReadEvents(statement);
  if (events.ok()) std::reverse(events->begin(), events->end());
  return events;
}

absl::StatusOr<uint64_t> SqliteStore::AddNodeChanges(const std::string& node,
                                                     const std::vector<NumberedEvent>& changes) {
  uint64_t taken = 0;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto record = GetNodeRow(database, node);
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
    return PutNodeRow(database, *record);
  });
  if (!status.ok()) return status;
  return taken;
}

absl::Status SqliteStore::AddSpec(const v1::SpecGeneration& spec, uint64_t newest,
                                  const v1::Event& applied) {
  return commits_.Commit([&](Database& database) {
    const absl::Status added = AddSpecRow(database, spec, newest);
    return added.ok() ? AddEventRow(database, applied).status() : added;
  });
}

absl::StatusOr<v1::SpecGeneration> SqliteStore::GetSpec(uint64_t generation) {
  std::lock_guard lock(reader_mutex_);
  return GetSpecRow(*reader_, generation);
}

absl::StatusOr<std::vector<v1::SpecGeneration>> SqliteStore::ListSpecs() {
  std::lock_guard lock(reader_mutex_);
  return ListSpecRows(*reader_);
}

absl::StatusOr<std::vector<v1::Event>> SqliteStore::ListLosses() {
  std::lock_guard lock(reader_mutex_);
  Statement statement = reader_->Prepare(
      "SELECT event, id FROM events WHERE id IN (SELECT max(id) FROM events AS lost "
      "WHERE kind = ? GROUP BY node HAVING max(id) > "
      "(SELECT coalesce(max(id), 0) FROM events WHERE kind = ? AND node = lost.node))"
      " ORDER BY node");
  statement.Bind(int64_t{v1::Event::NODE_LOST}).Bind(int64_t{v1::Event::NODE_BACK});
  return ReadEvents(statement);
}

absl::Status SqliteStore::AddToken(const v1::StoredToken& token) {
  const std::string bytes = Bytes(token);
  const std::string& id = token.token().id();
  return commits_.Commit([&](Database& database) -> absl::Status {
    const auto existing = GetTokenRow(database, id).status();
    if (existing.ok()) return absl::AlreadyExistsError("token " + id + " exists");
    if (!absl::IsNotFound(existing)) return existing;
    return database.Prepare("INSERT INTO tokens (id, created_us, token) VALUES (?, ?, ?)")
        .Bind(id)
        .Bind(int64_t{FromProto(token.token().created_at()).time_since_epoch().count()})
        .BindBlob(bytes)
        .Run();
  });
}

absl::StatusOr<v1::StoredToken> SqliteStore::GetToken(const std::string& id) {
  std::lock_guard lock(reader_mutex_);
  return GetTokenRow(*reader_, id);
}

absl::StatusOr<std::vector<v1::StoredToken>> SqliteStore::ListTokens() {
  std::lock_guard lock(reader_mutex_);
  Statement statement = reader_->Prepare("SELECT token FROM tokens ORDER BY created_us, id");
  return ReadAll<v1::StoredToken>(statement);
}

absl::Status SqliteStore::RevokeToken(const std::string& id) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    auto token = GetTokenRow(database, id);
    if (!token.ok()) return token.status();
    token->mutable_token()->set_revoked(true);
    return PutTokenRow(database, *token);
  });
}

absl::Status SqliteStore::SpendToken(const std::string& id, const v1::StoredToken::Use& use,
                                     const v1::NodeRecord& node, Time now) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    auto token = GetTokenRow(database, id);
    if (!token.ok()) return token.status();
    const absl::Status spent = RecordTokenUse(*token, use, now);
    if (!spent.ok()) return spent;
    const absl::Status stored = PutTokenRow(database, *token);
    return stored.ok() ? PutNodeRow(database, node) : stored;
  });
}

}  // namespace connect_ha
