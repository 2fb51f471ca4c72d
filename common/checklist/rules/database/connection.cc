#include <algorithm>
#include <chrono>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/database/stage_sign.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// Connect's pool per node where Postgres.MaxOpenConnections does not say. Not confirmed by the
// vendor's documentation.
constexpr int64_t kDefaultPoolSize = 16;

// From the weakest on; beside each what a connection in this mode lets happen.
struct SslMode {
  const char* name;
  const char* allows;
};
constexpr SslMode kSslModes[] = {
    {"disable", "nothing is encrypted"},
    {"allow", "a connection without encryption is accepted"},
    {"prefer", "a connection without encryption is accepted"},
    {"require", "any server can pose as the database"},
    {"verify-ca", "any server with a certificate of the same authority can pose as the database"},
    {"verify-full", ""},
};
constexpr size_t kRequire = 3;
constexpr size_t kVerifyFull = 5;

// The weakest for what is not known.
size_t StrengthOf(const std::string& mode) {
  for (size_t i = 0; i < std::size(kSslModes); ++i) {
    if (mode == kSslModes[i].name) return i;
  }
  return 0;
}

Fixes EncryptFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun, const std::string& mode) {
  const bool verifies = StrengthOf(mode) > kRequire;
  return Reconfigure(node, absl::StrCat("put sslmode=", mode,
                                        verifies ? " and sslrootcert, the file of the "
                                                   "authorities,"
                                                 : "",
                                        " into ", UrlSetting(node, noun)));
}

// As long before its end as a licence is told of. Nobody who verifies certificates connects any
// more from then on: all nodes at once.
constexpr std::chrono::hours kCertificateEnds{14 * 24};

// Fails a node whose server's certificate ends soon, where it is verified.
bool EndsSoon(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const DatabaseNoun& noun,
              const v1::DatabaseFacts& database, Verdict& verdict) {
  if (StrengthOf(database.ssl_mode()) <= kRequire || !database.has_certificate_expires_at()) {
    return false;
  }
  const Time end = FromProto(database.certificate_expires_at());
  if (end - FromProto(cluster.taken_at()) > kCertificateEnds) return false;
  verdict.Fail(node.name(),
               absl::StrCat(noun.prefix, "the certificate of ", database.host(), " expires on ",
                            FormatUtc(end), ": no node connects from then on"),
               {RenewCertificate(database)});
  return true;
}

// What the specification asks for, else verify-full.
void JudgeEncryption(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                     const DatabaseNoun& noun, const v1::DatabaseFacts& database,
                     Verdict& verdict) {
  const v1::DatabaseSpec& spec = cluster.spec().database();
  const std::string wanted = spec.has_tls() ? spec.tls() : "verify-full";
  const size_t has = StrengthOf(database.ssl_mode());
  const size_t wants = StrengthOf(wanted);
  const Why why{spec.has_tls() ? v1::SPEC : v1::SELF};
  const std::string mode = absl::StrCat(noun.prefix, "sslmode=", database.ssl_mode());
  if (has < wants) {
    verdict.Fail(node.name(),
                 absl::StrCat(mode, ": ", kSslModes[has].allows,
                              spec.has_tls() ? absl::StrCat(", wanted ", wanted) : ""),
                 EncryptFix(node, noun, wanted), why);
  } else if (wants >= kRequire && database.has_tls_in_use() && !database.tls_in_use()) {
    verdict.Fail(node.name(), absl::StrCat(mode, ", but the connection is not encrypted"),
                 EncryptFix(node, noun, wanted));
  } else if (!database.has_tls_in_use()) {
    SayUnanswered(node, database, verdict);
  } else if (!EndsSoon(cluster, node, noun, database, verdict)) {
    verdict.Pass(node.name(),
                 absl::StrCat(mode, database.tls_in_use() ? ", " : "", database.tls_version(),
                              has == kVerifyFull ? "" : ", as wanted: ", kSslModes[has].allows));
  }
}

int64_t PoolSize(const v1::Facts& facts) {
  int64_t size = 0;
  const std::string value = ConfigValue(facts, "Postgres", "MaxOpenConnections", "");
  return absl::SimpleAtoi(value, &size) && size > 0 ? size : kDefaultPoolSize;
}

struct Headroom {
  int64_t pools = 0;  // what the nodes may open together
  int64_t held = 0;   // what their agents hold, where the database is proved
  // As the node that sees least of each.
  int64_t allowed = -1;
  int64_t used = 0;
  int databases = 0;
};

void AddNode(const v1::NodeSnapshot& node, bool is_proved, Headroom& room, Verdict& verdict) {
  if (verdict.Unobserved(node, "database")) return;
  if (!node.facts().has_database()) {
    return SayNoDatabase(node, verdict);
  }
  if (const auto why = WhyConfigurationUnknown(node.facts())) {
    return verdict.Unknown(node.name(), *why);
  }
  room.pools += PoolSize(node.facts());
  if (is_proved || node.facts().has_presence()) ++room.held;
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

v1::Finding DatabaseConnectionEncrypted(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"tls_in_use", "ssl_mode", "certificate_expires_at"},
                        [&cluster](const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                   const v1::DatabaseFacts& database, Verdict& verdict) {
                          JudgeEncryption(cluster, node, noun, database, verdict);
                        });
}

v1::Finding DatabaseHeadroom(const v1::Snapshot& cluster) {
  Verdict verdict;
  Headroom room;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    AddNode(node, cluster.spec().prove().database(), room, verdict);
  }
  if (room.allowed < 0) return verdict.Finish();
  const int64_t needed = room.pools + room.held;
  const std::string what = absl::StrCat("the pools of ", room.databases, " nodes ",
                                        room.held > 0 ? "and what their agents hold " : "",
                                        "add up to ", needed, " connections");
  if (needed > room.allowed) {
    verdict.Fail("", absl::StrCat(what, ", the database allows ", room.allowed));
  } else if (room.used * 10 > room.allowed * 9) {
    verdict.Fail("", absl::StrCat(room.used, " of ", room.allowed, " connections are in use"),
                 {ByHand("", "see on the database who holds them: pg_stat_activity, by usename")});
  } else {
    verdict.Pass("", absl::StrCat(what, " of ", room.allowed));
  }
  return verdict.Finish();
}

}  // namespace connect_ha
