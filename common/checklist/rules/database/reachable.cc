#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rules/database/stage_sign.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

using Stage = v1::DatabaseStage;

std::string Endpoint(const v1::DatabaseFacts& database) {
  return absl::StrCat(database.host(), ":", database.port());
}

// Nothing came back. "no answer in" are the agent's own words.
bool HasNoWay(const std::string& error) {
  for (const char* words :
       {"timed out", "timeout", "no answer in", "No route to host", "unreachable"}) {
    if (absl::StrContains(error, words)) return true;
  }
  return false;
}

// A database that other nodes reach.
struct Reached {
  std::set<std::string> addresses;
  std::vector<std::string> nodes;
};
// By "host:port".
using ReachedByEndpoint = std::map<std::string, Reached>;

ReachedByEndpoint FindReached(const v1::Snapshot& cluster) {
  ReachedByEndpoint reached;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    for (const DatabaseNoun& noun : kDatabases) {
      const v1::DatabaseFacts* database = noun.get(node.facts());
      if (database == nullptr || !Answers(cluster.spec(), *database)) continue;
      Reached& one = reached[Endpoint(*database)];
      one.addresses.insert(database->addresses().begin(), database->addresses().end());
      one.nodes.push_back(node.name());
    }
  }
  return reached;
}

// The name leads somewhere else on this node than where others reach the database.
bool ResolvesElsewhere(const v1::DatabaseFacts& database, const Reached& reached) {
  return !database.addresses().empty() && !reached.addresses.empty() &&
         std::none_of(database.addresses().begin(), database.addresses().end(),
                      [&reached](const std::string& address) {
                        return reached.addresses.count(address) > 0;
                      });
}

Fixes ConnectFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                 const v1::DatabaseFacts& database, const Stage& stage, const Reached& reached) {
  if (HasNoWay(stage.error())) {
    return {ByHand("", absl::StrCat("allow TCP ", database.port(), " from ", node.name(),
                                    " in the database's security group; where it is allowed, see "
                                    "the route to ",
                                    database.host()))};
  }
  if (!reached.nodes.empty()) {
    return {ByHand(node.name(),
                   absl::StrCat(JoinNames(reached.nodes), " can connect to ", Endpoint(database),
                                ": look for what rejects this node, a firewall or a "
                                "proxy"))};
  }
  return {ByHand("", absl::StrCat("see that PostgreSQL runs on ", Endpoint(database),
                                  ", or correct ", UrlSetting(node, noun), " on ", node.name()))};
}

// The stage that failed tells where to look: nothing answers where a security group drops
// packets, while a refusal means that the machine was reached.
Fixes StageFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
               const v1::DatabaseFacts& database, const Stage& stage, const Reached& reached) {
  const std::string& name = node.name();
  switch (stage.name()) {
    case Stage::RESOLVE:
      return {Type(name, {absl::StrCat("getent hosts ", ShellOperand(database.host()))},
                   absl::StrCat("if it prints nothing: correct ", UrlSetting(node, noun),
                                ", or the VPC's DNS"))};
    case Stage::CONNECT:
      return ConnectFix(node, noun, database, stage, reached);
    case Stage::TLS:
      return {Type(name,
                   {absl::StrCat("openssl s_client -starttls postgres -connect ",
                                 ShellWord(Endpoint(database)))},
                   absl::StrCat("it shows the certificate; the authority's file is sslrootcert in ",
                                UrlSetting(node, noun),
                                " or database_ca_file in /etc/connect-ha/agent.yaml"))};
    case Stage::AUTHENTICATE:
      return {ByHand(
          name, absl::StrCat("correct Postgres.", noun.password, " in ",
                             SettingPlace(node.facts(), "Postgres", noun.password), ", or let \"",
                             database.user(), "\" in (pg_hba.conf, rds_iam)"))};
    default:
      return {Type(name, {Psql(database, "select 1")})};
  }
}

// Of several addresses, those that there is no way to: "; no connection to 10.0.3.6 (no answer)".
std::string OtherAddresses(const v1::DatabaseFacts& database) {
  if (database.tried_size() < 2) return "";
  std::vector<std::string> silent;
  for (const v1::DatabaseAddress& one : database.tried()) {
    if (!one.connected()) silent.push_back(absl::StrCat(one.address(), " (", one.error(), ")"));
  }
  if (silent.empty()) return "";
  return absl::StrCat("; no connection to ", absl::StrJoin(silent, ", "));
}

std::string Through(const v1::DatabaseFacts& database) {
  if (!database.has_pooler()) return "";
  return absl::StrCat(
      ", through ", database.pooler(),
      database.has_pooler_seen_by() ? absl::StrCat(" (", database.pooler_seen_by(), ")") : "");
}

void SayFailed(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
               const v1::DatabaseFacts& database, const Stage& stage, const Reached& reached,
               Verdict& verdict) {
  const std::string trouble = DatabaseTrouble(database).value_or("");
  if (stage.name() != Stage::RESOLVE && ResolvesElsewhere(database, reached)) {
    const std::string host = ShellOperand(database.host());
    return verdict.Fail(
        node.name(),
        absl::StrCat(database.host(), " resolves to ", absl::StrJoin(database.addresses(), ", "),
                     " on ", node.name(), ", to ", absl::StrJoin(reached.addresses, ", "),
                     " elsewhere (", trouble, ")"),
        {Type(node.name(),
              {absl::StrCat("getent hosts ", host), absl::StrCat("grep -nF ", host, " /etc/hosts")},
              absl::StrCat("it must resolve as on ", JoinNames(reached.nodes),
                           ": correct /etc/hosts or the name servers of this node"))},
        {v1::PEERS});
  }
  const std::optional<StageSign> sign = SignOf(node, noun, database, stage);
  const std::string cause = sign && !sign->cause.empty() ? absl::StrCat(": ", sign->cause) : "";
  verdict.Fail(node.name(), absl::StrCat(trouble, cause, OtherAddresses(database)),
               sign ? Fixes{sign->fix} : StageFix(node, noun, database, stage, reached));
}

void SaySlow(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node,
             const v1::DatabaseFacts& database, const Stage& stage, Verdict& verdict) {
  const bool resolving = stage.name() == Stage::RESOLVE;
  const Fixes fixes = {
      Type(node.name(), {absl::StrCat("getent hosts ", ShellOperand(database.host()))},
           resolving ? "a name server of /etc/resolv.conf is slow, or does not answer"
                     : "then look at the database's load, and at the network up to it")};
  verdict.Fail(node.name(),
               absl::StrCat(Endpoint(database), ": the ",
                            absl::AsciiStrToLower(Stage::Name_Name(stage.name())), " stage took ",
                            ShortSpan(stage.duration_us()), " (limit ",
                            ShortSpan(DatabaseStageLimitUs(spec)), ")"),
               fixes);
}

}  // namespace

v1::Finding DatabaseReachable(const v1::Snapshot& cluster) {
  const ReachedByEndpoint by_endpoint = FindReached(cluster);
  return JudgeDatabases(
      cluster, {"stages"},
      [&](const v1::NodeSnapshot& node, const DatabaseNoun& noun, const v1::DatabaseFacts& database,
          Verdict& verdict) {
        const Stage* stage = StageInTrouble(cluster.spec(), database);
        const auto reached = by_endpoint.find(Endpoint(database));
        if (stage != nullptr && !stage->passed()) {
          SayFailed(node, noun, database, *stage,
                    reached == by_endpoint.end() ? Reached() : reached->second, verdict);
        } else if (stage != nullptr) {
          SaySlow(cluster.spec(), node, database, *stage, verdict);
        } else if (!Answers(cluster.spec(), database)) {
          verdict.Unknown(node.name(), "the database was not asked");
        } else {
          verdict.Pass(node.name(), absl::StrCat(Endpoint(database), " answers", Through(database),
                                                 OtherAddresses(database)));
        }
      });
}

}  // namespace connect_ha
