#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
constexpr size_t kPlacesShown = 3;

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

// "db.example.com (10.0.1.5)"
std::string Whereabouts(const v1::DatabaseFacts& database) {
  if (database.addresses().empty()) return database.host();
  return absl::StrCat(database.host(), " (", absl::StrJoin(database.addresses(), ", "), ")");
}

Fixes SameFix(const DatabaseNoun& noun, const v1::NodeSnapshot& node,
              const v1::NodeSnapshot& right) {
  const v1::DatabaseFacts& own = *noun.get(node.facts());
  const v1::DatabaseFacts& other = *noun.get(right.facts());
  if (own.host() == other.host() && own.addresses_size() > 0 && other.addresses_size() > 0 &&
      Whereabouts(own) != Whereabouts(other)) {
    return {Type(node.name(),
                 {absl::StrCat("getent hosts ", ShellWord(own.host())),
                  absl::StrCat("grep -nF ", ShellWord(own.host()), " /etc/hosts")},
                 absl::StrCat(own.host(), " must resolve as on ", right.name(), ", to ",
                              absl::StrJoin(other.addresses(), ", ")))};
  }
  return Reconfigure(node, absl::StrCat("give ", UrlSetting(node, noun), " the value that ",
                                        right.name(), " has"));
}

// Where each node has its database from, and what that is.
std::string WhatDecides(const std::vector<Seen>& seen, const DatabaseNoun& noun) {
  std::vector<std::string> places;
  for (const Seen& one : seen) {
    if (places.size() == kPlacesShown) break;
    places.push_back(absl::StrCat(one.node->name(), " reaches ",
                                  Whereabouts(*noun.get(one.node->facts())), " by ",
                                  UrlSetting(*one.node, noun)));
  }
  return absl::StrCat("decide which database is the cluster's: ", absl::StrJoin(places, "; "));
}

// Differences prove that two nodes use two databases. Where that is one name that has other
// addresses elsewhere, these are said with the system that they lead to.
void Disprove(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  for (const Identity& identity : kIdentities) {
    std::vector<Seen> seen;
    std::map<std::string, std::string> values;  // by identity: each has one text
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      const v1::DatabaseFacts* database = noun.get(node.facts());
      const auto value = database ? identity.get(*database) : std::nullopt;
      if (!value) continue;
      const bool is_server = &identity == &kIdentities[0];
      const std::string text =
          is_server ? absl::StrCat(*value, " at ", Whereabouts(*database)) : *value;
      seen.push_back({&node, values.emplace(*value, text).first->second});
    }
    const bool agree = Agree(verdict, seen,
                             {absl::StrCat(noun.prefix, identity.what), std::nullopt,
                              [&noun](const Seen& one, const Seen& right) {
                                return SameFix(noun, *one.node, *right.node);
                              },
                              WhatDecides(seen, noun)});
    if (!agree) return;
  }
}

// Only some of the nodes have this database.
void CompareWhetherSet(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  std::vector<Seen> seen;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (WhyUnobserved(node.facts(), noun.path)) continue;
    seen.push_back({&node, noun.get(node.facts()) == nullptr ? "is not set" : "is set"});
  }
  const std::string setting = absl::StrCat("Postgres.", noun.url);
  Agree(verdict, seen,
        {setting, std::nullopt,
         [&noun](const Seen& one, const Seen& right) -> Fixes {
           return Reconfigure(*one.node, absl::StrCat("make ", UrlSetting(*one.node, noun),
                                                      " as it is on ", right.node->name()));
         },
         absl::StrCat("decide whether the cluster has ", setting, ", and set it on all or none")});
}

void FindUnidentified(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, noun.path)) continue;
    const v1::DatabaseFacts* database = noun.get(node.facts());
    if (database == nullptr) continue;
    for (const Identity& identity : kIdentities) {
      if (identity.get(*database)) continue;
      if (!verdict.Unobserved(node, absl::StrCat(noun.path, ".", identity.path))) {
        SayUnanswered(node, *database, verdict);
      }
      break;
    }
  }
}

// Nothing speaks against one database. A standby and a restored copy have the identity of the
// original, and what is behind a pooler does not show itself.
void SayUnproved(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                 Verdict& verdict) {
  const std::string text =
      database.has_pooler()
          ? absl::StrCat(database.pooler(),
                         " stands between: one session does not tell what "
                         "the next one reaches")
          : absl::StrCat("identity ", database.system_identifier(), "/", database.database(),
                         ", which a copy of the database has too");
  verdict.Unknown(
      node.name(), text,
      {Type(node.name(), {Psql(database, "select inet_server_addr(), pg_postmaster_start_time()")},
            "one answer everywhere is one server")});
}

void JudgeWritable(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                   const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_in_recovery() || !database.has_read_only()) {
    SayUnanswered(node, database, verdict);
  } else if (database.in_recovery()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, database.host(), " is a standby (pg_is_in_recovery)"),
                 Reconfigure(node, absl::StrCat("set ", UrlSetting(node, noun),
                                                " to the primary's endpoint")));
  } else if (database.read_only()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, "sessions on ", database.host(),
                              " are read-only (transaction_read_only)"),
                 {Type(node.name(),
                       {Psql(database,
                             "select source, sourcefile from pg_settings where name = "
                             "'default_transaction_read_only'")},
                       "it shows where default_transaction_read_only comes from")});
  } else {
    verdict.Pass(node.name(), absl::StrCat(noun.prefix, database.host(), " is the primary"));
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
    verdict.Fail(node.name(), absl::StrCat(version, ", wanted ", spec.major_version()), {},
                 {v1::SPEC});
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
    verdict.Fail(
        node.name(),
        absl::StrCat(version, ", wanted ", major, ".", spec.minimum_minor_version(), " or later"),
        {}, {v1::SPEC});
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
    const Fixes fix =
        Reconfigure(node, absl::StrCat("set Database.Provider to postgres: ",
                                       SettingPlace(node.facts(), "Database", "Provider")));
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
    CompareWhetherSet(cluster, noun, verdict);
    FindUnidentified(cluster, noun, verdict);
  }
  if (verdict.Has(v1::FAIL) || verdict.Has(v1::UNKNOWN)) return verdict.Finish();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const v1::DatabaseFacts& database = node.facts().database();
    const std::string used =
        absl::StrCat(database.database(), "/", database.current_schema(), " on ", database.host());
    if (!node.facts().has_database()) {
      SayNoDatabase(node, verdict);
    } else if (cluster.nodes_size() > 1) {
      SayUnproved(node, database, verdict);
    } else if (cluster.nodes_left_out() > 0) {
      verdict.NotApplicable(node.name(), absl::StrCat(used, "; no other node can be looked at"));
    } else {
      verdict.Pass(node.name(), absl::StrCat(used, "; there is no other node"));
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
