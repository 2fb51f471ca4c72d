// That Connect can make its tables, and that those which are there are its own. What it calls them
// is on no page of its vendor: of tables under other names a Connect that answers with them says
// that they are its own, and nothing says that they are not.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/checklist/rules/database/whereabouts.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr char kEncoding[] = "UTF8";

// Connect answers, here or on another node, with the tables that this node sees. A unit that is
// only up may be waiting for a database of its own.
bool ServesWithIt(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                  const DatabaseNoun& noun, const v1::DatabaseFacts& database) {
  if (Serves(node.facts())) return true;
  return std::any_of(
      cluster.nodes().begin(), cluster.nodes().end(), [&](const v1::NodeSnapshot& other) {
        const v1::DatabaseFacts* theirs = noun.get(other.facts());
        return theirs != nullptr && Serves(other.facts()) && theirs->host() == database.host() &&
               theirs->port() == database.port() && theirs->database() == database.database() &&
               theirs->create_schema() == database.create_schema();
      });
}

// A name in SQL, whatever the node calls it.
std::string SqlName(const std::string& name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

Fixes GrantFix(const v1::DatabaseFacts& database) {
  return {ByHand(
      "", absl::StrCat("as the owner of the database: GRANT CREATE ON SCHEMA ",
                       SqlName(database.create_schema()), " TO ", SqlName(database.user())))};
}

void JudgeTables(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                 const DatabaseNoun& noun, const v1::DatabaseFacts& database, Verdict& verdict) {
  const std::string used = absl::StrCat(noun.prefix, UsedDatabase(database), ", ", kEncoding);
  const uint32_t tables = database.connect_tables() + database.other_tables();
  if (tables == 0) {
    verdict.Pass(node.name(), absl::StrCat(used, ", holds no table"));
  } else if (database.connect_tables() > 0) {
    verdict.Pass(node.name(), absl::StrCat(used, ", holds Connect's tables"));
  } else if (ServesWithIt(cluster, node, noun, database)) {
    verdict.Pass(node.name(), absl::StrCat(used, ", holds tables that Connect runs with"));
  } else {
    verdict.Unknown(
        node.name(),
        absl::StrCat(used, ", holds ", tables,
                     tables == 1 ? " table, under no name that is known for Connect's"
                                 : " tables, none of a name that is known for Connect's"),
        {Type(node.name(),
              {Psql(database,
                    "select tablename from pg_tables where schemaname = "
                    "current_schema()")},
              "where they are another program's, give Connect a database of its own")});
  }
}

void JudgeOurs(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const DatabaseNoun& noun,
               const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_encoding() && database.has_server_version()) {
    return verdict.Unknown(node.name(), "the agent there is of a release that does not look at it");
  }
  if (!database.has_encoding()) return SayUnanswered(node, database, verdict);
  const std::string where = absl::StrCat(noun.prefix, database.database(), " on ", database.host());
  if (database.encoding() != kEncoding) {
    return verdict.Fail(
        node.name(),
        absl::StrCat(where, " has the encoding ", database.encoding(), ", Connect needs ",
                     kEncoding),
        {ByHand("", absl::StrCat("an encoding cannot be changed: make another database (CREATE "
                                 "DATABASE ... ENCODING 'UTF8' TEMPLATE template0), restore a "
                                 "dump of this one in it, and name it in ",
                                 UrlSetting(node, noun)))});
  }
  if (!database.has_create_schema()) {
    return verdict.Fail(
        node.name(),
        absl::StrCat(where, " has no schema for tables: search_path ",
                     database.search_path().empty() ? "leads to none"
                                                    : absl::StrCat("is ", database.search_path())),
        {ByHand("", absl::StrCat("make the schema, owned by \"", database.user(), "\", or correct ",
                                 UrlSetting(node, noun)))});
  }
  if (!database.can_create()) {
    return verdict.Fail(
        node.name(),
        absl::StrCat(where, ": \"", database.user(), "\" may not make tables in the schema ",
                     database.create_schema()),
        GrantFix(database));
  }
  JudgeTables(cluster, node, noun, database, verdict);
}

}  // namespace

v1::Finding DatabaseIsOurs(const v1::Snapshot& cluster) {
  return JudgeDatabases(
      cluster, {"encoding", "create_schema", "can_create", "connect_tables", "other_tables"},
      [&cluster](const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                 const v1::DatabaseFacts& database,
                 Verdict& verdict) { JudgeOurs(cluster, node, noun, database, verdict); });
}

}  // namespace connect_ha
