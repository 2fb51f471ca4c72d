#include "agent/preflight/migration_look.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/probes/probe_cache.h"
#include "agent/resources/service/service_notes.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kFix[] =
    "\nfix: connect-ha rollout status says which version the cluster runs, and the agent installs "
    "it once the coordinator has answered; where the database is as it should be: "
    "connect-ha-agent preflight --override REASON";

// "": no package of Connect is installed.
absl::StatusOr<std::string> InstalledVersion(Host& host) {
  ProbeCache cache;
  const auto packages = ReadPackages(host, cache);
  if (absl::IsNotFound(packages.status())) return std::string();
  if (!packages.ok()) return packages.status();
  const v1::Package* package = (*packages)->Find(kConnectPackage);
  return package == nullptr ? std::string() : PlainVersion(package->version());
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
  const absl::StatusOr<std::string> installed = InstalledVersion(host);
  if (!installed.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database was migrated since Connect ", right,
                     " was right on this node, and which version is installed cannot be told: ",
                     installed.status().message(), kFix));
  }
  if (!SameVersion(*installed, right)) return absl::OkStatus();
  const std::string& newest = memory.newest_start().version();
  if (!newest.empty() && CompareVersions(newest, *installed) > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the database is another one than when Connect ", right, " was right on this node (",
      memory.right_migration(), ", now ", migration,
      "): another version has migrated it, and this one must not run against it", kFix));
}

}  // namespace connect_ha
