#include "coordinator/store/rows/audit_rows.h"

#include <string>
#include <utility>

#include "common/audit_chain.h"
#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

struct Newest {
  int64_t id = 0;  // 0: there never was an entry
  std::string digest;
};

// Kept beside the entries: where the newest ones were taken out, neither their ids nor their place
// in the chain are given again.
absl::StatusOr<Newest> ReadNewest(Database& database) {
  Statement statement = database.Prepare("SELECT newest_id, newest_digest FROM audit_ends");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::DataLossError(
        "store: the ends of its audit log are gone\nfix: restore a copy of the store");
  }
  return Newest{statement.Integer(0), std::string(statement.Blob(1))};
}

// Of the newest of those that are to be let go of: an entry stays while one before it stays.
absl::StatusOr<std::optional<v1::AuditAnchor>> NextAnchor(Database& database, Time before) {
  const auto newest = ReadNewest(database);
  if (!newest.ok()) return newest.status();
  Statement statement = database.Prepare(
      "SELECT entry, id FROM audit WHERE id < ? AND id < "
      "coalesce((SELECT min(id) FROM audit WHERE at_us >= ?), ?) ORDER BY id DESC LIMIT 1");
  statement.Bind(newest->id).Bind(int64_t{before.time_since_epoch().count()}).Bind(newest->id);
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<v1::AuditAnchor>();
  const auto entry = Parse<v1::AuditEntry>(statement.Blob(0));
  if (!entry.ok()) return entry.status();
  v1::AuditAnchor anchor;
  anchor.set_id(static_cast<uint64_t>(statement.Integer(1)));
  anchor.set_digest(entry->digest());
  *anchor.mutable_at() = entry->at();
  return std::optional<v1::AuditAnchor>(std::move(anchor));
}

}  // namespace

absl::Status AddAuditRow(Database& database, v1::AuditEntry entry) {
  const auto newest = ReadNewest(database);
  if (!newest.ok()) return newest.status();
  const int64_t id = newest->id + 1;
  entry.set_id(static_cast<uint64_t>(id));
  entry.set_previous_digest(newest->digest);
  entry.set_digest(AuditDigest(entry));
  const std::string bytes = Bytes(entry);
  const absl::Status added =
      database.Prepare("INSERT INTO audit (id, at_us, entry) VALUES (?, ?, ?)")
          .Bind(id)
          .Bind(int64_t{FromProto(entry.at()).time_since_epoch().count()})
          .BindBlob(bytes)
          .Run();
  if (!added.ok()) return added;
  return database.Prepare("UPDATE audit_ends SET newest_id = ?, newest_digest = ?")
      .Bind(id)
      .BindBlob(entry.digest())
      .Run();
}

absl::StatusOr<std::vector<v1::AuditEntry>> ListAuditRows(Database& database, uint64_t after_id,
                                                          uint32_t limit) {
  Statement statement =
      database.Prepare("SELECT entry FROM audit WHERE id > ? ORDER BY id LIMIT ?");
  statement.Bind(AsInteger(after_id)).Bind(int64_t{limit});
  return ReadAll<v1::AuditEntry>(statement);
}

absl::StatusOr<std::optional<v1::AuditAnchor>> GetAuditAnchorRow(Database& database) {
  Statement statement = database.Prepare("SELECT anchor FROM audit_ends WHERE anchor IS NOT NULL");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<v1::AuditAnchor>();
  auto anchor = Parse<v1::AuditAnchor>(statement.Blob(0));
  if (!anchor.ok()) return anchor.status();
  return std::optional<v1::AuditAnchor>(*std::move(anchor));
}

absl::StatusOr<uint64_t> NewestAuditRowId(Database& database) {
  const auto newest = ReadNewest(database);
  if (!newest.ok()) return newest.status();
  return static_cast<uint64_t>(newest->id);
}

absl::Status PruneAuditRows(Database& database, Time before) {
  const auto anchor = NextAnchor(database, before);
  if (!anchor.ok()) return anchor.status();
  if (!anchor->has_value()) return absl::OkStatus();
  const std::string bytes = Bytes(**anchor);
  const absl::Status moved =
      database.Prepare("UPDATE audit_ends SET anchor = ?").BindBlob(bytes).Run();
  if (!moved.ok()) return moved;
  return database.Prepare("DELETE FROM audit WHERE id <= ?")
      .Bind(static_cast<int64_t>((*anchor)->id()))
      .Run();
}

}  // namespace connect_ha
