#include "agent/probes/database/connect_tables.h"

#include <pqxx/pqxx>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/short_text.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

// By these a database is known for Connect's. From memory; they may become others.
constexpr const char* kConnectTables[] = {"apps", "bundles", "users", "variants"};

struct Column {
  const char* table;
  const char* name;
};

// One entry for each migration that was made. This is the stand-in's of tests/lab: how the real one
// notes it nobody could say, and a guess would do harm: from a table that changes for other reasons
// Connect would be kept from starting. Of the real one `migration` is absent until it stands here.
constexpr Column kMigrations[] = {{"connect_schema", "version"}};

// One row for each item of content, with the version of the runtime that it was deployed with.
// Named as Connect's API names the fields (r_version, py_version, quarto_version); the tables are
// from memory. Sorted by runtime.
struct RuntimeColumn {
  const char* runtime;
  Column column;
};
constexpr RuntimeColumn kPinned[] = {{"python", {"apps", "py_version"}},
                                     {"quarto", {"apps", "quarto_version"}},
                                     {"r", {"apps", "r_version"}}};

constexpr char kNotForLong[] = "SET LOCAL statement_timeout = 2000";
// More versions of one runtime than this are none.
constexpr int kMostVersions = 100;
constexpr int kMostMigrations = 10'000;

// What an extension brought is nobody's.
std::string TablesQuery() {
  const std::string ours = absl::StrCat("('", absl::StrJoin(kConnectTables, "', '"), "')");
  return absl::StrCat(R"(
SELECT pg_encoding_to_char(d.encoding),
       current_schema(),
       has_schema_privilege(current_schema(), 'CREATE'),
       count(t.oid) FILTER (WHERE t.relname IN )",
                      ours, R"(),
       count(t.oid) FILTER (WHERE t.relname NOT IN )",
                      ours, R"()
  FROM pg_database d
  LEFT JOIN pg_class t
    ON t.relkind IN ('r', 'p')
   AND t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
   AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_class'::regclass AND e.objid = t.oid AND e.deptype = 'e')
 WHERE d.datname = current_database()
 GROUP BY d.encoding)");
}

// In the schema that Connect's tables are made in, and as far as this account may see it.
bool IsThere(pqxx::transaction_base& session, const Column& column) {
  const pqxx::row row =
      session.exec1(absl::StrCat("SELECT count(*) FROM information_schema.columns "
                                 "WHERE table_schema = current_schema() AND table_name = '",
                                 column.table, "' AND column_name = '", column.name, "'"));
  return row[0].as<int>() > 0;
}

// It is only ever compared with itself: a long one by its digest, with its last entry for people.
std::string MigrationOf(const pqxx::result& entries) {
  std::vector<std::string> words;
  for (pqxx::result::size_type i = 0; i < entries.size(); ++i) {
    words.emplace_back(entries[i][0].c_str());
  }
  const std::string all = absl::StrJoin(words, " ");
  if (all.size() <= kNameBytes) return ShortText(all, kNameBytes);
  return absl::StrCat(words.size(), " up to ", ShortText(words.back(), kNameBytes / 2), " (",
                      Hex(Sha256(all)).substr(0, 16), ")");
}

// False: there are too many.
bool AddPinned(pqxx::transaction_base& session, const RuntimeColumn& of, v1::DatabaseFacts& facts) {
  const pqxx::result found = session.exec(
      absl::StrCat("SELECT ", of.column.name, "::text COLLATE \"C\" AS version, count(*) FROM ",
                   of.column.table, " WHERE ", of.column.name, " IS NOT NULL AND ", of.column.name,
                   "::text <> '' GROUP BY 1 ORDER BY 1 LIMIT ", kMostVersions + 1));
  if (found.size() > static_cast<pqxx::result::size_type>(kMostVersions)) return false;
  for (pqxx::result::size_type i = 0; i < found.size(); ++i) {
    const pqxx::row row = found[i];
    v1::PinnedRuntime& pinned = *facts.add_pinned();
    pinned.set_runtime(of.runtime);
    pinned.set_version(ShortText(row[0].c_str(), kNameBytes));
    pinned.set_items(row[1].as<uint64_t>());
  }
  return true;
}

}  // namespace

void CountTables(pqxx::transaction_base& session, v1::DatabaseFacts& facts) {
  const pqxx::row row = session.exec1(TablesQuery());
  facts.set_encoding(row[0].c_str());
  if (row[1].is_null()) return;  // of the schemas that are looked through, none is there
  facts.set_create_schema(row[1].c_str());
  facts.set_can_create(row[2].as<bool>());
  facts.set_connect_tables(row[3].as<uint32_t>());
  facts.set_other_tables(row[4].as<uint32_t>());
}

void ReadMigration(pqxx::connection_base& connection, const BeginSession& begin,
                   v1::DatabaseFacts& facts) {
  pqxx::read_transaction session(connection);
  begin(session);
  session.exec(kNotForLong);
  for (const Column& column : kMigrations) {
    if (!IsThere(session, column)) continue;
    const pqxx::result entries = session.exec(
        absl::StrCat("SELECT ", column.name, "::text COLLATE \"C\" AS entry FROM ", column.table,
                     " WHERE ", column.name, " IS NOT NULL ORDER BY 1 LIMIT ", kMostMigrations));
    if (!entries.empty()) facts.set_migration(MigrationOf(entries));
    return;
  }
}

void ReadPinned(pqxx::connection_base& connection, const BeginSession& begin,
                v1::DatabaseFacts& facts) {
  pqxx::read_transaction session(connection);
  begin(session);
  session.exec(kNotForLong);
  std::vector<std::string> unknown;
  for (const RuntimeColumn& of : kPinned) {
    if (!IsThere(session, of.column)) {
      unknown.push_back(absl::StrCat("of ", of.runtime, " there is no column ", of.column.table,
                                     ".", of.column.name));
    } else if (!AddPinned(session, of, facts)) {
      unknown.push_back(
          absl::StrCat("of ", of.runtime, " there are more versions than ", kMostVersions));
    }
  }
  if (!unknown.empty()) facts.set_pinned_unknown(absl::StrJoin(unknown, "; "));
}

}  // namespace connect_ha
