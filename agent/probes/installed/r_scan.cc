#include "agent/probes/installed/r_scan.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

// systemd's own, for a unit that sets none.
constexpr char kUnitPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

absl::StatusOr<std::string> PathOfUnit(const ProbeInput& input) {
  const absl::StatusOr<std::vector<UnitVariable>> environment = input.host.ReadUnitEnvironment(
      input.agent_config.has_connect_unit() ? input.agent_config.connect_unit()
                                            : "rstudio-connect.service");
  if (!environment.ok() && !absl::IsNotFound(environment.status())) return environment.status();
  std::string path = kUnitPath;
  if (!environment.ok()) return path;
  for (const UnitVariable& variable : *environment) {
    absl::string_view assignment = variable.assignment;
    if (absl::ConsumePrefix(&assignment, "PATH=")) path = std::string(assignment);
  }
  return path;
}

}  // namespace

bool ScansForR(const ConnectConfig* config) {
  if (config == nullptr) return true;
  if (!config->GetBool("R", "Enabled", true)) return false;
  // The second is the key's former name.
  return config->IsSet("R", "ExecutableScanning")
             ? config->GetBool("R", "ExecutableScanning", true)
             : config->GetBool("Server", "RVersionScanning", true);
}

absl::StatusOr<std::string> FindROnPath(const ProbeInput& input) {
  const absl::StatusOr<std::string> path = PathOfUnit(input);
  if (!path.ok()) return path.status();
  for (const absl::string_view directory : absl::StrSplit(*path, ':', absl::SkipEmpty())) {
    const std::string executable = absl::StrCat(directory, "/R");
    const absl::StatusOr<FileStatus> status = input.host.Stat(executable);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    if (status->kind == FileStatus::Kind::kFile) return executable;
  }
  return absl::NotFoundError("there is no R on the PATH of Connect's unit");
}

absl::StatusOr<std::string> RHome(Host& host, const std::string& real_path) {
  const std::string root = real_path.substr(0, real_path.rfind("/bin/"));
  for (const char* home : {"/lib/R", "/lib64/R"}) {
    const std::string candidate = absl::StrCat(root, home);
    const absl::StatusOr<FileStatus> status = host.Stat(candidate);
    if (status.ok() && status->kind == FileStatus::Kind::kDirectory) return candidate;
    if (!status.ok() && !absl::IsNotFound(status.status())) return status.status();
  }
  return root;
}

}  // namespace connect_ha
