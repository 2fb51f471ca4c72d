// What people do, each together with its entry of the audit log: specifications, tokens, nodes
// taken in and out, admins.
#include <utility>

#include "absl/status/status.h"
#include "coordinator/store/rows/audit_rows.h"
#include "coordinator/store/rows/event_rows.h"
#include "coordinator/store/rows/plan_rows.h"
#include "coordinator/store/rows/rows.h"
#include "coordinator/store/rows/spec_rows.h"
#include "coordinator/store/sqlite_store.h"
#include "coordinator/store/tokens.h"

namespace connect_ha {
namespace {

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

absl::Status AddTokenRow(Database& database, const v1::StoredToken& token) {
  const std::string& id = token.token().id();
  const absl::Status present = GetTokenRow(database, id).status();
  if (present.ok()) return absl::AlreadyExistsError("token " + id + " exists");
  if (!absl::IsNotFound(present)) return present;
  const std::string bytes = Bytes(token);
  return database.Prepare("INSERT INTO tokens (id, created_us, token) VALUES (?, ?, ?)")
      .Bind(id)
      .Bind(int64_t{FromProto(token.token().created_at()).time_since_epoch().count()})
      .BindBlob(bytes)
      .Run();
}

// Taken in as the machine that it was.
bool IsOneMachine(const v1::NodeRecord& before, const v1::NodeRecord& after) {
  return before.has_enrolled_at() && !before.removed() && before.machine_id() == after.machine_id();
}

}  // namespace

absl::StatusOr<v1::NodeRecord> SqliteStore::RemoveNode(const std::string& name,
                                                       const v1::AuditEntry& entry, Time now) {
  v1::AuditEntry removal = entry;
  *removal.mutable_at() = ToProto(now);
  removal.set_action(v1::AuditEntry::NODE_REMOVED);
  removal.set_subject(name);
  v1::NodeRecord removed;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto node = GetNamed<v1::NodeRecord>(database, kNodes, name);
    if (!node.ok()) return node.status();
    if (node->removed()) return absl::NotFoundError("node " + name + " is removed already");
    node->set_removed(true);
    *node->mutable_removed_at() = ToProto(now);
    absl::Status status = PutNamed(database, kNodes, *node);
    if (status.ok()) {
      status = database.Prepare("DELETE FROM reports WHERE node = ?").Bind(name).Run();
    }
    if (status.ok()) status = ForgetPlanOf(database, name);
    if (status.ok()) status = RemoveWordsOf(database, name);
    if (status.ok()) status = AddAuditRow(database, removal);
    removed = *std::move(node);
    return status;
  });
  if (!status.ok()) return status;
  return removed;
}

absl::Status SqliteStore::AddSpec(const v1::SpecGeneration& spec, uint64_t newest,
                                  const v1::Event& applied, const v1::AuditEntry& entry) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    absl::Status status = AddSpecRow(database, spec, newest);
    if (status.ok()) status = AddEventRow(database, applied).status();
    return status.ok() ? AddAuditRow(database, entry) : status;
  });
}

absl::StatusOr<v1::SpecGeneration> SqliteStore::GetSpec(uint64_t generation) {
  std::lock_guard lock(reader_mutex_);
  return GetSpecRow(*opened_.reader, generation);
}

absl::StatusOr<std::vector<v1::SpecGeneration>> SqliteStore::ListSpecs() {
  std::lock_guard lock(reader_mutex_);
  return ListSpecRows(*opened_.reader);
}

absl::Status SqliteStore::AddToken(const v1::StoredToken& token, const v1::AuditEntry& entry) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    const absl::Status added = AddTokenRow(database, token);
    return added.ok() ? AddAuditRow(database, entry) : added;
  });
}

absl::StatusOr<v1::StoredToken> SqliteStore::GetToken(const std::string& id) {
  std::lock_guard lock(reader_mutex_);
  return GetTokenRow(*opened_.reader, id);
}

absl::StatusOr<std::vector<v1::StoredToken>> SqliteStore::ListTokens() {
  std::lock_guard lock(reader_mutex_);
  Statement statement = opened_.reader->Prepare("SELECT token FROM tokens ORDER BY created_us, id");
  return ReadAll<v1::StoredToken>(statement);
}

absl::Status SqliteStore::RevokeToken(const std::string& id, const v1::AuditEntry& entry) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    auto token = GetTokenRow(database, id);
    if (!token.ok()) return token.status();
    token->mutable_token()->set_revoked(true);
    const absl::Status put = PutTokenRow(database, *token);
    return put.ok() ? AddAuditRow(database, entry) : put;
  });
}

absl::StatusOr<v1::NodeRecord> SqliteStore::SpendToken(const std::string& id,
                                                       const v1::StoredToken::Use& use,
                                                       const ChangeNode& change,
                                                       const v1::AuditEntry& entry, Time now) {
  v1::NodeRecord admitted;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto token = GetTokenRow(database, id);
    if (!token.ok()) return token.status();
    const auto spent = RecordTokenUse(*token, use, now);
    if (!spent.ok()) return spent.status();
    auto node = GetNamedOrNew<v1::NodeRecord>(database, kNodes, use.node());
    if (!node.ok()) return node.status();
    const v1::NodeRecord before = *node;
    absl::Status status = change(*node);
    if (status.ok()) status = PutNamed(database, kNodes, *node);
    if (status.ok() && !IsOneMachine(before, *node)) status = ForgetPlanOf(database, before.name());
    if (status.ok() && *spent) status = PutTokenRow(database, *token);
    if (status.ok() && *spent) status = AddAuditRow(database, entry);
    admitted = *std::move(node);
    return status;
  });
  if (!status.ok()) return status;
  return admitted;
}

absl::StatusOr<v1::AdminRecord> SqliteStore::ChangeAdminRecord(const std::string& name,
                                                               const ChangeAdmin& change,
                                                               const v1::AuditEntry& entry) {
  v1::AdminRecord changed;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto admin = GetNamedOrNew<v1::AdminRecord>(database, kAdmins, name);
    if (!admin.ok()) return admin.status();
    absl::Status status = change(*admin);
    if (status.ok()) status = PutNamed(database, kAdmins, *admin);
    if (status.ok()) status = AddAuditRow(database, entry);
    changed = *std::move(admin);
    return status;
  });
  if (!status.ok()) return status;
  return changed;
}

absl::StatusOr<v1::AdminRecord> SqliteStore::GetAdmin(const std::string& name) {
  std::lock_guard lock(reader_mutex_);
  return GetNamed<v1::AdminRecord>(*opened_.reader, kAdmins, name);
}

absl::StatusOr<std::vector<v1::AdminRecord>> SqliteStore::ListAdmins() {
  std::lock_guard lock(reader_mutex_);
  return ListNamed<v1::AdminRecord>(*opened_.reader, kAdmins);
}

absl::Status SqliteStore::AddAudit(const v1::AuditEntry& entry) {
  return commits_.Commit([&](Database& database) { return AddAuditRow(database, entry); });
}

absl::StatusOr<std::vector<v1::AuditEntry>> SqliteStore::ListAudit(uint64_t after_id,
                                                                   uint32_t limit) {
  std::lock_guard lock(reader_mutex_);
  return ListAuditRows(*opened_.reader, after_id, limit);
}

absl::StatusOr<std::optional<v1::AuditAnchor>> SqliteStore::GetAuditAnchor() {
  std::lock_guard lock(reader_mutex_);
  return GetAuditAnchorRow(*opened_.reader);
}

absl::StatusOr<uint64_t> SqliteStore::NewestAuditId() {
  std::lock_guard lock(reader_mutex_);
  return NewestAuditRowId(*opened_.reader);
}

absl::Status SqliteStore::PruneAudit(Time before) {
  return commits_.Commit([&](Database& database) { return PruneAuditRows(database, before); });
}

}  // namespace connect_ha
