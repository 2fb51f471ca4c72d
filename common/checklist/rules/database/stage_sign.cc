#include "common/checklist/rules/database/stage_sign.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Stage = v1::DatabaseStage;

struct About {
  const v1::NodeSnapshot& node;
  const DatabaseNoun& noun;
  const v1::DatabaseFacts& database;

  std::string Url() const { return UrlSetting(node, noun); }
};

v1::Fix NameAsCertificate(const About& about) {
  return ByHand(
      about.node.name(),
      absl::StrCat("name the server as its certificate does (RDS: the endpoint) in ", about.Url()));
}

v1::Fix TurnTlsOn(const About& about) {
  return ByHand("", absl::StrCat("turn TLS on there (ssl = on); only where nothing is to be "
                                 "encrypted: sslmode=disable in ",
                                 about.Url()));
}

v1::Fix Encrypt(const About& about) {
  return ByHand(about.node.name(), absl::StrCat("put sslmode=verify-full and sslrootcert, the file "
                                                "of the authorities, into ",
                                                about.Url()));
}

v1::Fix Renew(const About& about) { return RenewCertificate(about.database); }

v1::Fix GiveAuthority(const About& about) {
  return ByHand(
      about.node.name(),
      absl::StrCat("give the authorities' file (RDS: its global-bundle.pem) as "
                   "sslrootcert in ",
                   about.Url(), ", or as database_ca_file in /etc/connect-ha/agent.yaml"));
}

v1::Fix LookAtServer(const About& about) {
  return ByHand("", absl::StrCat("see on ", about.database.host(),
                                 " whether PostgreSQL answers "
                                 "there, and whether it is what listens on port ",
                                 about.database.port()));
}

v1::Fix LetPoolerTakeIt(const About& about) {
  return ByHand("", absl::StrCat("let the pooler take the parameter (PgBouncer: "
                                 "ignore_startup_parameters), or name the database itself in ",
                                 about.Url()));
}

v1::Fix LetIn(const About& about) {
  return ByHand("", absl::StrCat("let \"", about.database.user(), "\" in from ", about.node.name(),
                                 " to the database ", about.database.database(), " (pg_hba.conf)"));
}

v1::Fix MakeDatabase(const About& about) {
  return ByHand("", absl::StrCat("make it on the server, owned by \"", about.database.user(),
                                 "\", or correct ", about.Url()));
}

v1::Fix MakeRole(const About& about) {
  return ByHand("", absl::StrCat("see on the server that the role \"", about.database.user(),
                                 "\" is there and may log in, or correct ", about.Url()));
}

v1::Fix FreePooler(const About&) {
  return ByHand("",
                "see on the pooler who holds them (PgBouncer: SHOW CLIENTS), or raise its "
                "max_client_conn");
}

v1::Fix FreeConnections(const About&) {
  return ByHand("",
                "see on the database who holds them (pg_stat_activity, by usename), or raise "
                "its max_connections");
}

v1::Fix WaitForServer(const About& about) {
  return ByHand("", absl::StrCat("it comes back by itself; where it does not within minutes, see "
                                 "the log of ",
                                 about.database.host()));
}

struct Sign {
  Stage::Name stage;
  const char* words;  // of libpq, of the server, or of the agent itself
  const char* cause;
  v1::Fix (*fix)(const About& about);
};

// The first that fits counts.
constexpr Sign kSigns[] = {
    {Stage::TLS, "does not match host name",
     "the URL has another name for it than its certificate, a CNAME for one", NameAsCertificate},
    {Stage::TLS, "does not support SSL", "it has TLS off", TurnTlsOn},
    {Stage::TLS, "certificate expired", "", Renew},
    {Stage::TLS, "self-signed", "", GiveAuthority},
    {Stage::TLS, "does not lead to", "", GiveAuthority},
    {Stage::TLS, "root certificate file", "", GiveAuthority},
    {Stage::TLS, "no answer in", "it accepts, and says nothing", LookAtServer},
    {Stage::AUTHENTICATE, "no answer in", "it accepts, and says nothing", LookAtServer},
    // Of PgBouncer, and of RDS Proxy, for a startup parameter that they do not pass on.
    {Stage::AUTHENTICATE, "unsupported startup parameter",
     "a pooler answers, and refuses the parameter", LetPoolerTakeIt},
    {Stage::AUTHENTICATE, "command-line options", "a pooler answers, and refuses the parameter",
     LetPoolerTakeIt},
    // The second is what PostgreSQL before 14 says.
    {Stage::AUTHENTICATE, "no encryption", "it lets nobody in without TLS", Encrypt},
    {Stage::AUTHENTICATE, "SSL off", "it lets nobody in without TLS", Encrypt},
    {Stage::AUTHENTICATE, "no pg_hba.conf entry", "it does not let this account in from here",
     LetIn},
    {Stage::AUTHENTICATE, "too many clients", "it is out of connections", FreeConnections},
    {Stage::AUTHENTICATE, "remaining connection slots", "it is out of connections",
     FreeConnections},
    // Which may name a role.
    {Stage::AUTHENTICATE, "too many connections", "it is out of connections", FreeConnections},
    {Stage::AUTHENTICATE, "no more connections", "a pooler answers, and is out of connections",
     FreePooler},
    {Stage::AUTHENTICATE, "role \"", "", MakeRole},
    {Stage::AUTHENTICATE, "\" does not exist", "", MakeDatabase},
    {Stage::AUTHENTICATE, "starting up", "", WaitForServer},
    {Stage::AUTHENTICATE, "shutting down", "", WaitForServer},
    {Stage::AUTHENTICATE, "in recovery mode", "", WaitForServer},
    // Not the words of a database that nobody may connect to: "is not currently accepting ...".
    {Stage::AUTHENTICATE, "database system is not", "", WaitForServer},
    {Stage::TLS, "closed the connection", "", WaitForServer},
    {Stage::AUTHENTICATE, "closed the connection", "", WaitForServer},
};

}  // namespace

v1::Fix RenewCertificate(const v1::DatabaseFacts& database) {
  return ByHand("", absl::StrCat("renew the certificate of ", database.host(),
                                 " (RDS: aws rds modify-db-instance "
                                 "--ca-certificate-identifier ...)"));
}

std::optional<StageSign> SignOf(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                const v1::DatabaseFacts& database, const v1::DatabaseStage& stage) {
  for (const Sign& sign : kSigns) {
    if (sign.stage != stage.name() || !absl::StrContains(stage.error(), sign.words)) continue;
    return StageSign{sign.cause, sign.fix({node, noun, database})};
  }
  return std::nullopt;
}

}  // namespace connect_ha
