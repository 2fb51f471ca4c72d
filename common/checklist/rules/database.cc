#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// Releases that some release of Connect supports. Which release supports which range is not
// told here: an operator who wants it exact gives database.major_version.
constexpr uint32_t kOldestMajor = 12;
constexpr uint32_t kNewestMajor = 17;

// One property of the database as the nodes see it, where they see it.
struct Identity {
  const char* path;
  const char* what;
  std::optional<std::string> (*get)(const v1::DatabaseFacts& database);
};

constexpr Identity kIdentities[] = {
    {"system_identifier", "database system",
     [](const v1::DatabaseFacts& database) -> std::optional<std::string> {
       if (!database.has_system_identifier()) return std::nullopt;
       return database.system_identifier();
     }},
    {"database_oid", "database oid",
     [](const v1::DatabaseFacts& database) -> std::optional<std::string> {
       if (!database.has_database_oid()) return std::nullopt;
       return absl::StrCat(database.database_oid(), " (", database.database(), ")");
     }},
    {"current_schema", "schema",
     [](const v1::DatabaseFacts& database) -> std::optional<std::string> {
       if (!database.has_current_schema()) return std::nullopt;
       return database.current_schema();
     }},
};

// Differences prove that two nodes use two databases.
void Disprove(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  for (const Identity& identity : kIdentities) {
    std::vector<Seen> seen;
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      const v1::DatabaseFacts* database = noun.get(node.facts());
      const auto value = database ? identity.get(*database) : std::nullopt;
      if (value) seen.push_back({&node, *value});
    }
    const bool agree = Agree(
        verdict, seen,
        {identity.what, std::nullopt,
         [&noun](const Seen& one, const Seen& right) -> Fixes {
           return {ByHand(one.node->name(), absl::StrCat("give ", noun.setting, " the value that ",
                                                         right.node->name(), " has, in ",
                                                         ConfigPath(one.node->facts()))),
                   RestartConnect(one.node->name())};
         },
         absl::StrCat("decide which database is the cluster's, and give every node its ",
                      noun.setting)});
    if (!agree) return;
  }
}

void FindUnidentified(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  std::vector<std::string> without;
  size_t with = 0;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, noun.path)) continue;
    const v1::DatabaseFacts* database = noun.get(node.facts());
    if (database == nullptr) {
      without.push_back(node.name());
      continue;
    }
    ++with;
    for (const Identity& identity : kIdentities) {
      if (identity.get(*database)) continue;
      if (!verdict.Unobserved(node, absl::StrCat(noun.path, ".", identity.path))) {
        SayUnanswered(node, *database, verdict);
      }
      break;
    }
  }
  for (const std::string& node : without) {
    if (with > 0) verdict.Fail(node, absl::StrCat(noun.setting, " is not set, elsewhere it is"));
  }
}

void JudgeWritable(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                   const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_in_recovery() || !database.has_read_only()) {
    SayUnanswered(node, database, verdict);
  } else if (database.in_recovery()) {
    verdict.Fail(
        node.name(),
        absl::StrCat(noun.prefix, database.host(), " is a standby (pg_is_in_recovery)"),
        {ByHand(node.name(), absl::StrCat("set ", noun.setting, " to the primary's endpoint in ",
                                          ConfigPath(node.facts()))),
         RestartConnect(node.name())});
  } else if (database.read_only()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, "sessions on ", database.host(),
                              " are read-only (transaction_read_only)"),
                 {ByHand("", absl::StrCat("see on the database why: the role's or the database's "
                                          "default_transaction_read_only"))});
  } else {
    verdict.Pass(node.name(), absl::StrCat(noun.prefix, database.host(), " is the writer"));
  }
}

void JudgeVersion(const v1::DatabaseSpec& spec, const v1::NodeSnapshot& node,
                  const DatabaseNoun& noun, const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_server_version()) {
    return SayUnanswered(node, database, verdict);
  }
  const uint32_t major = database.server_version() / 10000;
  const uint32_t minor = database.server_version() % 10000;
  const std::string version = absl::StrCat(noun.prefix, "PostgreSQL ", major, ".", minor);
  if (spec.has_major_version() && major != spec.major_version()) {
    verdict.Fail(node.name(), absl::StrCat(version, ", wanted ", spec.major_version()));
  } else if (!spec.has_major_version() && major < kOldestMajor) {
    verdict.Fail(node.name(), absl::StrCat(version, ", older than ", kOldestMajor));
  } else if (!spec.has_major_version() && major > kNewestMajor) {
    verdict.Unknown(
        node.name(), absl::StrCat(version, " is newer than what is known here"),
        {ByHand("",
                absl::StrCat(
                    "if Connect supports it, write under database in cluster.yaml: major_version: ",
                    major))});
  } else if (minor < spec.minimum_minor_version()) {
    verdict.Fail(node.name(), absl::StrCat(version, ", wanted ", major, ".",
                                           spec.minimum_minor_version(), " or later"));
  } else {
    verdict.Pass(node.name(), version);
  }
}

}  // namespace

v1::Finding DatabaseIsPostgres(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (const auto why = WhyConfigurationUnknown(node.facts())) {
      verdict.Unknown(node.name(), *why);
      continue;
    }
    const std::string provider = ConfigValue(node.facts(), "Database", "Provider", "");
    const Fixes fix = {
        ByHand(node.name(), absl::StrCat("set Provider = postgres under [Database] in ",
                                         ConfigPath(node.facts()))),
        RestartConnect(node.name())};
    if (absl::EqualsIgnoreCase(provider, "postgres")) {
      verdict.Pass(node.name(), "Database.Provider is postgres");
    } else if (provider.empty()) {
      verdict.Fail(node.name(), "Database.Provider is not set: Connect uses SQLite", fix);
    } else {
      verdict.Fail(node.name(), absl::StrCat("Database.Provider is ", provider), fix);
    }
  }
  return verdict.Finish();
}

v1::Finding DatabaseIsSame(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const DatabaseNoun& noun : kDatabases) {
    Disprove(cluster, noun, verdict);
    FindUnidentified(cluster, noun, verdict);
  }
  if (verdict.Has(v1::FAIL) || verdict.Has(v1::UNKNOWN)) return verdict.Finish();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const v1::DatabaseFacts& database = node.facts().database();
    if (!node.facts().has_database()) {
      SayNoDatabase(node, verdict);
    } else if (cluster.nodes_size() == 1) {
      verdict.Pass(node.name(), absl::StrCat(database.database(), "/", database.current_schema(),
                                             " on ", database.host(), "; there is no other node"));
    } else {
      // A standby and a restored copy have the identity of the original.
      verdict.Unknown(
          node.name(),
          absl::StrCat("identity ", database.system_identifier(), "/", database.database(),
                       ", which a copy of the database has too"),
          {Type(node.name(),
                {absl::StrCat("psql \"host=", database.host(), " dbname=", database.database(),
                              " user=", database.user(),
                              "\" -c 'select inet_server_addr(), pg_postmaster_start_time()'")},
                "one answer everywhere is one server")});
    }
  }
  return verdict.Finish();
}

v1::Finding DatabaseIsWritable(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"in_recovery", "read_only"}, JudgeWritable);
}

v1::Finding DatabaseVersionSupported(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"server_version"},
                        [&cluster](const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                   const v1::DatabaseFacts& database, Verdict& verdict) {
                          JudgeVersion(cluster.spec().database(), node, noun, database, verdict);
                        });
}

}  // namespace connect_ha
