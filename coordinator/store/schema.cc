#include "coordinator/store/schema.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

// kMigrations[n] brings version n to n + 1. Never change one that was released: append.
// Messages are kept whole; the columns beside them are what is searched by.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE nodes (name TEXT PRIMARY KEY, record BLOB NOT NULL);
      CREATE TABLE reports (node TEXT PRIMARY KEY, report BLOB NOT NULL);
      CREATE TABLE findings (rule TEXT PRIMARY KEY, position INTEGER NOT NULL,
                             finding BLOB NOT NULL);
      CREATE TABLE evaluation (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                               evaluated_at_us INTEGER NOT NULL);
      CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,
                           node TEXT NOT NULL, rule TEXT NOT NULL, event BLOB NOT NULL);
      CREATE INDEX events_by_node ON events (node, id);
      CREATE INDEX events_by_rule ON events (rule, id);
      CREATE INDEX events_by_kind ON events (kind, node, id);
      CREATE TABLE tokens (id TEXT PRIMARY KEY, created_us INTEGER NOT NULL, token BLOB NOT NULL);
    )sql",
    // The bundle, which may be large, stands apart from what is listed.
    R"sql(
      CREATE TABLE specs (generation INTEGER PRIMARY KEY, header BLOB NOT NULL,
                          bundle BLOB NOT NULL);
    )sql",
};

absl::StatusOr<int> StoredVersion(Database& database) {
  Statement statement = database.Prepare("PRAGMA user_version");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  return static_cast<int>(statement.Integer(0));
}

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kMigrations)); }

absl::Status MigrateSchema(Database& database) {
  const auto stored = StoredVersion(database);
  if (!stored.ok()) return stored.status();
  if (*stored > SchemaVersion()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store has schema ", *stored, ", this program knows up to ", SchemaVersion(),
        "\nfix: install the connect-ha that wrote it, or a newer one (this is " CONNECT_HA_VERSION
        ")"));
  }
  for (int version = *stored; version < SchemaVersion(); ++version) {
    const absl::Status migrated =
        database.Execute(absl::StrCat("BEGIN IMMEDIATE;", kMigrations[version],
                                      "PRAGMA user_version = ", version + 1, "; COMMIT;"));
    if (!migrated.ok()) return migrated;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
