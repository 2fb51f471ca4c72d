#include "agent/preflight/migration_look.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/probe_cache.h"
#include "agent/resources/service/service_notes.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kFix[] =
    "\nfix: connect-ha rollout status says which version the cluster runs, and the agent installs "
    "it once the coordinator has answered; where the database is as it should be: "
    "connect-ha-agent preflight --override REASON";

// The newest that was started here, since the database was put back.
std::string NewestStarted(const v1::ServiceMemory& memory) {
  const v1::NewestStart& newest = memory.newest_start();
  const bool is_of_before =
      memory.has_database_restored() && !IsBelow(memory.database_restored(), newest.order());
  return is_of_before ? "" : newest.version();
}

}  // namespace

absl::Status CheckMigration(WritableHost& host, const std::string& state_dir,
                            const std::string& migration) {
  const v1::ServiceMemory memory = ServiceNotes(host, state_dir + "/service").Get();
  const std::string& right = memory.right_version();
  if (migration.empty() || right.empty() || memory.right_migration().empty() ||
      memory.right_migration() == migration) {
    return absl::OkStatus();
  }
  ProbeCache cache;
  const absl::StatusOr<std::string> installed = InstalledConnect(host, cache);
  if (!installed.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database was migrated since Connect ", right,
                     " was right on this node, and which version is installed cannot be told: ",
                     installed.status().message(), kFix));
  }
  if (!SameVersion(*installed, right)) return absl::OkStatus();
  const std::string newest = NewestStarted(memory);
  if (!newest.empty() && CompareVersions(newest, *installed) > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the database is another one than when Connect ", right, " was right on this node (",
      memory.right_migration(), ", now ", migration,
      "): another version has migrated it, and this one must not run against it", kFix));
}

}  // namespace connect_ha
