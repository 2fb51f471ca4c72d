#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

// Connect's pool per node where Postgres.MaxOpenConnections does not say. Not confirmed by the
// vendor's documentation.
constexpr int64_t kDefaultPoolSize = 16;

std::string Endpoint(const v1::DatabaseFacts& database) {
  return absl::StrCat(database.host(), ":", database.port());
}

bool IsTimeout(const std::string& error) {
  return absl::StrContains(error, "timed out") || absl::StrContains(error, "timeout");
}

// The stage that failed tells where to look: nothing answers where a security group drops
// packets, while a refusal means that the machine was reached.
Fixes StageFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
               const v1::DatabaseFacts& database, const v1::DatabaseStage& stage) {
  const std::string endpoint = Endpoint(database);
  const std::string& name = node.name();
  switch (stage.name()) {
    case v1::DatabaseStage::RESOLVE:
      return {
          Type(name, {absl::StrCat("getent hosts ", database.host())},
               absl::StrCat("if it prints nothing: correct ", noun.setting, ", or the VPC's DNS"))};
    case v1::DatabaseStage::CONNECT:
      if (!IsTimeout(stage.error())) {
        return {ByHand("", absl::StrCat("start PostgreSQL on ", endpoint, ", or correct ",
                                        noun.setting, " on ", name))};
      }
      return {ByHand("", absl::StrCat("allow TCP ", database.port(), " from ", name,
                                      " in the database's security group"))};
    case v1::DatabaseStage::TLS:
      return {
          Type(name, {absl::StrCat("openssl s_client -starttls postgres -connect ", endpoint)},
               absl::StrCat("it shows the certificate; the authority's file is sslrootcert in ",
                            noun.setting, " or database_ca_file in /etc/connect-ha/agent.yaml"))};
    case v1::DatabaseStage::AUTHENTICATE:
      return {ByHand(name, absl::StrCat("correct ", noun.password, ", or let \"", database.user(),
                                        "\" in (pg_hba.conf, rds_iam)"))};
    default:
      return {Type(name, {absl::StrCat("psql \"host=", database.host(), " port=", database.port(),
                                       " dbname=", database.database(), " user=", database.user(),
                                       "\" -c 'select 1'")})};
  }
}

void JudgeStages(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                 const DatabaseNoun& noun, const v1::DatabaseFacts& database, Verdict& verdict) {
  const int64_t limit = DatabaseStageLimitUs(cluster.spec());
  for (const v1::DatabaseStage& stage : database.stages()) {
    if (!stage.passed()) {
      return verdict.Fail(node.name(), *DatabaseTrouble(database),
                          StageFix(node, noun, database, stage));
    }
    if (stage.duration_us() > limit) {
      return verdict.Fail(
          node.name(),
          absl::StrCat(Endpoint(database), ": the ",
                       absl::AsciiStrToLower(v1::DatabaseStage::Name_Name(stage.name())),
                       " stage took ", ShortSpan(stage.duration_us()), " (limit ", ShortSpan(limit),
                       ")"),
          {Type(node.name(), {absl::StrCat("ping -c 5 ", database.host())},
                "and look at the database\'s load")});
    }
  }
  const bool queried =
      !database.stages().empty() && database.stages().rbegin()->name() == v1::DatabaseStage::QUERY;
  if (!queried) return verdict.Unknown(node.name(), "the database was not asked");
  verdict.Pass(node.name(), absl::StrCat(Endpoint(database), " answers"));
}

// What a connection in this mode lets happen; null for verify-full.
const char* WhatModeAllows(const std::string& ssl_mode) {
  if (ssl_mode == "verify-full") return nullptr;
  if (ssl_mode == "verify-ca") {
    return "any server with a certificate of the same authority can pose as the database";
  }
  if (ssl_mode == "require") return "any server can pose as the database";
  return "a connection without encryption is accepted";
}

void JudgeEncryption(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                     const v1::DatabaseFacts& database, Verdict& verdict) {
  const Fixes fix = {
      ByHand(node.name(), absl::StrCat("put sslmode=verify-full and sslrootcert=FILE into ",
                                       noun.setting, " in ", ConfigPath(node.facts()))),
      RestartConnect(node.name())};
  if (database.has_tls_in_use() && !database.tls_in_use()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, "no TLS (sslmode=", database.ssl_mode(), ")"), fix);
  } else if (const char* risk = WhatModeAllows(database.ssl_mode())) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, "sslmode=", database.ssl_mode(), ": ", risk), fix);
  } else if (!database.has_tls_in_use()) {
    SayUnanswered(node, database, verdict);
  } else {
    verdict.Pass(node.name(),
                 absl::StrCat(noun.prefix, "sslmode=verify-full, ", database.tls_version()));
  }
}

int64_t PoolSize(const v1::Facts& facts) {
  int64_t size = 0;
  const std::string value = ConfigValue(facts, "Postgres", "MaxOpenConnections", "");
  return absl::SimpleAtoi(value, &size) && size > 0 ? size : kDefaultPoolSize;
}

struct Headroom {
  int64_t pools = 0;  // what the nodes may open together
  // As the node that sees least of each.
  int64_t allowed = -1;
  int64_t used = 0;
  int databases = 0;
};

void AddNode(const v1::NodeSnapshot& node, Headroom& room, Verdict& verdict) {
  if (verdict.Unobserved(node, "database")) return;
  if (!node.facts().has_database()) {
    return SayNoDatabase(node, verdict);
  }
  if (const auto why = WhyConfigurationUnknown(node.facts())) {
    return verdict.Unknown(node.name(), *why);
  }
  room.pools += PoolSize(node.facts());
  ++room.databases;
  for (const char* path :
       {"database.max_connections", "database.reserved_connections", "database.used_connections"}) {
    if (verdict.Unobserved(node, path)) return;
  }
  const v1::DatabaseFacts& database = node.facts().database();
  if (!database.has_max_connections() || !database.has_used_connections()) {
    return SayUnanswered(node, database, verdict);
  }
  const int64_t allowed =
      int64_t{database.max_connections()} - int64_t{database.reserved_connections()};
  room.allowed = room.allowed < 0 ? allowed : std::min(room.allowed, allowed);
  room.used = std::max(room.used, int64_t{database.used_connections()});
}

}  // namespace

v1::Finding DatabaseReachable(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"stages"},
                        [&cluster](const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                   const v1::DatabaseFacts& database, Verdict& verdict) {
                          JudgeStages(cluster, node, noun, database, verdict);
                        });
}

v1::Finding DatabaseConnectionEncrypted(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"tls_in_use", "ssl_mode"}, JudgeEncryption);
}

v1::Finding DatabaseHeadroom(const v1::Snapshot& cluster) {
  Verdict verdict;
  Headroom room;
  for (const v1::NodeSnapshot& node : cluster.nodes()) AddNode(node, room, verdict);
  if (room.allowed < 0) return verdict.Finish();
  if (room.pools > room.allowed) {
    verdict.Fail("", absl::StrCat("the pools of ", room.databases, " nodes add up to ", room.pools,
                                  " connections, the database allows ", room.allowed));
  } else if (room.used * 10 > room.allowed * 9) {
    verdict.Fail("", absl::StrCat(room.used, " of ", room.allowed, " connections are in use"),
                 {ByHand("", "see on the database who holds them: pg_stat_activity, by usename")});
  } else {
    verdict.Pass("", absl::StrCat("the pools of ", room.databases, " nodes add up to ", room.pools,
                                  " connections of ", room.allowed));
  }
  return verdict.Finish();
}

}  // namespace connect_ha
