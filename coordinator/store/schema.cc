#include "coordinator/store/schema.h"

#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/store.pb.h"
#include "coordinator/store/rows/memory_rows.h"
#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

// Since when it is so, of a finding or of a line of its evidence; the words are left behind.
template <typename Judged>
v1::FindingMemory::Memory MemoryOf(const std::string& node, const Judged& judged) {
  v1::FindingMemory::Memory memory;
  memory.set_node(node);
  memory.set_outcome(judged.outcome());
  if (judged.has_since()) *memory.mutable_since() = judged.since();
  if (judged.has_last_known()) memory.set_last_known(judged.last_known());
  if (judged.has_last_known_since()) {
    *memory.mutable_last_known_since() = judged.last_known_since();
  }
  return memory;
}

// The finding itself comes first, then its lines; of several lines of one node with one outcome,
// the first stands for all.
v1::FindingMemory MemoryOf(const v1::Finding& finding) {
  v1::FindingMemory memory;
  memory.set_rule(finding.rule());
  *memory.add_memories() = MemoryOf("", finding);
  std::set<std::pair<std::string, v1::Outcome>> seen;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (!seen.insert({evidence.node(), evidence.outcome()}).second) continue;
    *memory.add_memories() = MemoryOf(evidence.node(), evidence);
  }
  return memory;
}

absl::StatusOr<std::vector<v1::Finding>> ReadFindings(Database& database) {
  Statement statement = database.Prepare("SELECT finding FROM findings ORDER BY position");
  return ReadAll<v1::Finding>(statement);
}

absl::Status RememberFindings(Database& database) {
  const auto findings = ReadFindings(database);
  if (!findings.ok()) return findings.status();
  for (const v1::Finding& finding : *findings) {
    const absl::Status put = PutMemoryRow(database, MemoryOf(finding));
    if (!put.ok()) return put;
  }
  return database.Execute("DROP TABLE findings");
}

// When a node was removed was not written down: by now at the latest.
absl::Status DateRemovals(Database& database, Time now) {
  auto nodes = ListNamed<v1::NodeRecord>(database, kNodes);
  if (!nodes.ok()) return nodes.status();
  for (v1::NodeRecord& node : *nodes) {
    if (!node.removed() || node.has_removed_at()) continue;
    *node.mutable_removed_at() = ToProto(now);
    const absl::Status put = PutNamed(database, kNodes, node);
    if (!put.ok()) return put;
  }
  return absl::OkStatus();
}

absl::Status MigrateToEpochs(Database& database, Time now) {
  const std::string lineage = Hex(RandomBytes(16));
  absl::Status status =
      database.Prepare("INSERT INTO opening (only_row, epoch, lineage) VALUES (1, 0, ?)")
          .Bind(lineage)
          .Run();
  if (status.ok()) status = RememberFindings(database);
  if (status.ok()) status = DateRemovals(database, now);
  return status;
}

struct Migration {
  const char* sql;
  // What SQL cannot say, after it in the same transaction; null: nothing.
  absl::Status (*then)(Database& database, Time now);
};

// kMigrations[n] brings version n to n + 1. Never change one that was released: append.
// Messages are kept whole; the columns beside them are what is searched by.
constexpr Migration kMigrations[] = {
    {R"sql(
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
     nullptr},
    // The bundle, which may be large, stands apart from what is listed.
    {R"sql(
      CREATE TABLE specs (generation INTEGER PRIMARY KEY, header BLOB NOT NULL,
                          bundle BLOB NOT NULL);
    )sql",
     nullptr},
    // Of `opening`, the epoch is that of the latest one. `audit_ends` tells of entries that are
    // gone: at the old end they were let go of up to the anchor; at the new end there must be the
    // newest.
    {R"sql(
      CREATE TABLE opening (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                            epoch INTEGER NOT NULL, lineage TEXT NOT NULL);
      CREATE TABLE memories (rule TEXT PRIMARY KEY, memory BLOB NOT NULL);
      CREATE TABLE admins (name TEXT PRIMARY KEY, record BLOB NOT NULL);
      CREATE TABLE audit (id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, entry BLOB NOT NULL);
      CREATE TABLE audit_ends (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                               newest_id INTEGER NOT NULL, newest_digest BLOB NOT NULL,
                               anchor BLOB);
      INSERT INTO audit_ends VALUES (1, 0, zeroblob(32), NULL);
    )sql",
     MigrateToEpochs},
    // What the plan remembers, of the cluster and of each node, and what people said. `last_word`
    // is the greatest number of a word that was given.
    {R"sql(
      CREATE TABLE plan (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                         revision INTEGER NOT NULL, last_word INTEGER NOT NULL,
                         memory BLOB NOT NULL);
      INSERT INTO plan VALUES (1, 0, 0, zeroblob(0));
      CREATE TABLE plan_nodes (node TEXT PRIMARY KEY, memory BLOB NOT NULL);
      CREATE TABLE words (number INTEGER PRIMARY KEY, node TEXT NOT NULL, word BLOB NOT NULL);
    )sql",
     nullptr},
    // Changes of the cluster that ended. A generation may be begun more than once.
    {R"sql(
      CREATE TABLE rollouts (generation INTEGER NOT NULL, began_us INTEGER NOT NULL,
                             rollout BLOB NOT NULL, PRIMARY KEY (generation, began_us));
    )sql",
     nullptr},
};

absl::StatusOr<int> StoredVersion(Database& database) {
  Statement statement = database.Prepare("PRAGMA user_version");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  return static_cast<int>(statement.Integer(0));
}

absl::Status MigrateOnce(Database& database, int version, Time now) {
  const Migration& migration = kMigrations[version];
  absl::Status status = database.Execute(absl::StrCat("BEGIN IMMEDIATE;", migration.sql));
  if (status.ok() && migration.then != nullptr) status = migration.then(database, now);
  if (status.ok()) {
    status = database.Execute(absl::StrCat("PRAGMA user_version = ", version + 1, "; COMMIT;"));
  }
  if (!status.ok() && database.in_transaction()) database.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kMigrations)); }

absl::Status MigrateSchema(Database& database, Time now) {
  const auto stored = StoredVersion(database);
  if (!stored.ok()) return stored.status();
  if (*stored > SchemaVersion()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store has schema ", *stored, ", this program knows up to ", SchemaVersion(),
        "\nfix: install the connect-ha that wrote it, or a newer one (this is " CONNECT_HA_VERSION
        ")"));
  }
  for (int version = *stored; version < SchemaVersion(); ++version) {
    const absl::Status migrated = MigrateOnce(database, version, now);
    if (!migrated.ok()) return migrated;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
