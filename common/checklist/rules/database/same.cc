// Differences disprove that the nodes use one database; each other's locks prove it.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/proving.h"
#include "common/checklist/rules/database/locks.h"
#include "common/checklist/rules/database/whereabouts.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

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

// Differences prove that two nodes use two databases. Where that is one name that has other
// addresses elsewhere, these are said with the system that they lead to.
void Disprove(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  for (const Identity& identity : kIdentities) {
    std::vector<Seen> seen;
    std::vector<const v1::NodeSnapshot*> nodes;
    std::map<std::string, std::string> values;  // by identity: each has one text
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      const v1::DatabaseFacts* database = noun.get(node.facts());
      const auto value = database ? identity.get(*database) : std::nullopt;
      if (!value) continue;
      const bool is_server = &identity == &kIdentities[0];
      const std::string text =
          is_server ? absl::StrCat(*value, " at ", Whereabouts(*database)) : *value;
      seen.push_back({&node, values.emplace(*value, text).first->second});
      nodes.push_back(&node);
    }
    const bool agree = Agree(verdict, seen,
                             {absl::StrCat(noun.prefix, identity.what), std::nullopt,
                              [&noun](const Seen& one, const Seen& right) {
                                return SameFix(noun, *one.node, *right.node);
                              },
                              WhatDecides(nodes, noun)});
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

// A server that does not tell which system it is (some refuse that) is told by the locks, where
// these are held.
void FindUnidentified(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  const bool is_proved = cluster.spec().prove().database();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, noun.path)) continue;
    const v1::DatabaseFacts* database = noun.get(node.facts());
    if (database == nullptr) continue;
    for (const Identity& identity : kIdentities) {
      if (identity.get(*database)) continue;
      if (is_proved && &identity == &kIdentities[0]) continue;
      if (!verdict.Unobserved(node, absl::StrCat(noun.path, ".", identity.path))) {
        SayUnanswered(node, *database, verdict);
      }
      break;
    }
  }
}

std::string PoolerText(const v1::DatabaseFacts& database) {
  return absl::StrCat(database.pooler(),
                      " stands between: one session does not tell what the next one reaches");
}

std::string IdentityText(const v1::DatabaseFacts& database) {
  return absl::StrCat("identity ", database.system_identifier(), "/", database.database(),
                      ", which a copy of the database has too");
}

// Nothing speaks against one database. A standby and a restored copy have the identity of the
// original, and what is behind a pooler does not show itself.
void SayUnproved(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                 Verdict& verdict) {
  verdict.Unknown(node.name(),
                  database.has_pooler() ? PoolerText(database) : IdentityText(database),
                  {AskForDatabaseProof()});
}

// The second database is proved by the first where both are of one server. One of another server is
// compared and not proved, which nobody can mend: no lock is held there. It is said, and the first
// one alone, which holds what users have, decides.
void JudgeSecond(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const v1::DatabaseFacts* database = noun.get(node.facts());
    if (database == nullptr) continue;
    const v1::DatabaseFacts& first = node.facts().database();
    if (database->host() == first.host() && database->port() == first.port()) continue;
    if (database->has_pooler()) {
      verdict.Unknown(node.name(), absl::StrCat(noun.prefix, PoolerText(*database)),
                      Reconfigure(node, absl::StrCat("name the database itself, not a pooler that "
                                                     "stands before it, in ",
                                                     UrlSetting(node, noun))));
    } else if (!verdict.Unobserved(node, absl::StrCat(noun.path, ".system_identifier"))) {
      const std::string identity = database->has_system_identifier()
                                       ? IdentityText(*database)
                                       : "which does not say what system it is";
      verdict.NotApplicable(node.name(),
                            absl::StrCat(noun.prefix, "compared, and proved by no lock: ",
                                         Whereabouts(*database), ", ", identity));
    }
  }
}

}  // namespace

v1::Finding DatabaseIsSame(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const DatabaseNoun& noun : kDatabases) {
    Disprove(cluster, noun, verdict);
    CompareWhetherSet(cluster, noun, verdict);
    FindUnidentified(cluster, noun, verdict);
  }
  const bool is_proved = cluster.spec().prove().database();
  if (verdict.Has(v1::FAIL) || (verdict.Has(v1::UNKNOWN) && !is_proved)) return verdict.Finish();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const v1::DatabaseFacts& database = node.facts().database();
    if (WhyUnobserved(node.facts(), "database")) continue;
    if (!node.facts().has_database()) {
      SayNoDatabase(node, verdict);
    } else if (cluster.nodes_size() > 1) {
      if (!is_proved) SayUnproved(node, database, verdict);
    } else if (cluster.nodes_left_out() > 0) {
      verdict.NotApplicable(
          node.name(), absl::StrCat(UsedDatabase(database), "; no other node can be looked at"));
    } else {
      verdict.Pass(node.name(), absl::StrCat(UsedDatabase(database), "; there is no other node"));
    }
  }
  if (cluster.nodes_size() > 1) {
    if (is_proved) JudgeLocks(cluster, kDatabases[0], verdict);
    JudgeSecond(cluster, kDatabases[1], verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
