#include "agent/preflight/database_look.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/probes/database/database.h"
#include "agent/probes/probe_cache.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr char kFix[] = "\nfix: connect-ha-agent check shows what the database says";

}  // namespace

absl::StatusOr<DatabaseSeen> LookAtDatabase(Host& host, const v1::AgentConfig& agent_config,
                                            const ConnectConfig& config) {
  ProbeCache cache;
  const std::string no_digests;
  const ProbeInput input = {host,
                            agent_config,
                            std::make_shared<const ConnectConfig>(config),
                            absl::OkStatus(),
                            no_digests,
                            host.Now(),
                            cache};
  v1::Facts facts;
  const absl::Status read = ReadDatabase(input, facts);
  if (!read.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "whether the database lets Connect in cannot be told: ", read.message(), kFix));
  }
  if (!facts.has_database()) return DatabaseSeen{"Connect uses no PostgreSQL", 0};
  const v1::DatabaseFacts& database = facts.database();
  if (const std::optional<std::string> trouble = DatabaseTrouble(database)) {
    return absl::UnavailableError(
        absl::StrCat("the database does not let Connect in: ", *trouble, kFix));
  }
  const std::string place = absl::StrCat(database.host(), ":", database.port());
  if (database.in_recovery()) {
    return absl::UnavailableError(
        absl::StrCat("the database at ", place,
                     " is a replica: Connect cannot write to it\nfix: set Postgres.URL to the "
                     "primary's endpoint"));
  }
  if (database.read_only()) {
    return absl::UnavailableError(
        absl::StrCat("sessions at the database at ", place, " are read-only: Connect cannot write",
                     "\nfix: connect-ha-agent check shows how to find what makes them so "
                     "(default_transaction_read_only)"));
  }
  return DatabaseSeen{absl::StrCat(place, " lets Connect in"), database.connect_tables(),
                      database.migration()};
}

}  // namespace connect_ha
