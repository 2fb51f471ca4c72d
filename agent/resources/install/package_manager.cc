#include "agent/resources/install/package_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/installed/dpkg.h"

namespace connect_ha {
namespace {

constexpr char kAptGet[] = "/usr/bin/apt-get";
constexpr char kAptMark[] = "/usr/bin/apt-mark";
// It may fail (-): what cannot be configured may be the very package that is to be replaced. Where
// the repair was really needed and did not come about, apt refuses what follows.
constexpr char kDpkgThatMayFail[] = "-/usr/bin/dpkg";
constexpr char kDpkg[] = "/usr/bin/dpkg";
constexpr char kLockTimeout[] = "DPkg::Lock::Timeout=600";
// A configuration file that an administrator changed stays as it is.
constexpr char kKeepConffiles[] = "Dpkg::Options::=--force-confold";
// dpkg's journal of changes that are not yet in its status file.
constexpr char kUpdates[] = "/var/lib/dpkg/updates";

// What dpkg can finish by itself.
bool IsUnpacked(const v1::Package& package) {
  for (const char* state :
       {" unpacked", " half-configured", " triggers-awaited", " triggers-pending"}) {
    if (absl::EndsWith(package.status(), state)) return true;
  }
  return false;
}

// A power cut, or a kill, came while dpkg worked: it refuses everything until it is repaired.
absl::StatusOr<bool> WasInterrupted(const ResourceContext& context) {
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  const auto& packages = (*database)->packages;
  if (std::any_of(packages.begin(), packages.end(),
                  [](const auto& entry) { return IsUnpacked(entry.second); })) {
    return true;
  }
  const absl::StatusOr<std::vector<std::string>> updates = context.host.ListDirectory(kUpdates);
  if (absl::IsNotFound(updates.status())) return false;
  if (!updates.ok()) return updates.status();
  return !updates->empty();
}

absl::StatusOr<std::vector<std::vector<std::string>>> RepairCommands(
    const ResourceContext& context) {
  const absl::StatusOr<bool> interrupted = WasInterrupted(context);
  if (!interrupted.ok()) return interrupted.status();
  std::vector<std::vector<std::string>> commands;
  if (*interrupted) commands.push_back({kDpkgThatMayFail, "--force-confold", "--configure", "-a"});
  return commands;
}

// Packages tell systemd of their units through systemctl, which the installer's environment stops.
std::vector<std::string> Reload() {
  return {"/usr/bin/env", "--unset=SYSTEMD_OFFLINE", "systemctl", "daemon-reload"};
}

// dpkg and apt-mark do not wait for who has dpkg's lock; this does, and changes nothing.
std::vector<std::string> WaitForLock() {
  return {"-/usr/bin/apt-get", "check", "-q", "-o", kLockTimeout};
}

}  // namespace

std::vector<std::string> NamedPackages(const v1::ClusterSpec& spec) {
  std::vector<std::string> names = {kConnectPackage};
  if (spec.storage().has_efs_utils()) names.emplace_back(kEfsUtilsPackage);
  for (const v1::RuntimeSpec& r : spec.runtimes().r()) names.push_back("r-" + r.version());
  for (const v1::RuntimeSpec& python : spec.runtimes().python()) {
    names.push_back("python-" + python.version());
  }
  return names;
}

bool IsUnfinished(const v1::Package& package) {
  return IsUnpacked(package) || absl::EndsWith(package.status(), " half-installed") ||
         absl::StrContains(package.status(), " reinstreq ");
}

bool IsOnHold(const v1::Package& package) { return absl::StartsWith(package.status(), "hold "); }

absl::Status CheckPackageManager(Host& host) {
  const absl::StatusOr<FileStatus> apt = host.Stat(kAptGet);
  if (apt.ok()) return absl::OkStatus();
  if (!absl::IsNotFound(apt.status())) return apt.status();
  return absl::InvalidArgumentError(
      "this node has no apt-get: packages are installed on Debian and Ubuntu alone\n"
      "fix: take the packages out of the specification and install them by other means");
}

absl::StatusOr<std::vector<std::vector<std::string>>> AptCommands(const ResourceContext& context,
                                                                  const AptInstall& install) {
  absl::StatusOr<std::vector<std::vector<std::string>>> commands = RepairCommands(context);
  if (!commands.ok()) return commands;
  if (install.held) {
    commands->push_back(WaitForLock());
    commands->push_back({kAptMark, "unhold", install.package});
  }
  std::vector<std::string> apt = {kAptGet, "install",     "-y",
                                  "-q",    "--no-remove", "--no-install-recommends"};
  if (install.downgrade) apt.push_back("--allow-downgrades");
  if (install.reinstall) apt.push_back("--reinstall");
  apt.insert(apt.end(), {"-o", kLockTimeout, "-o", kKeepConffiles, install.file});
  commands->push_back(apt);
  commands->push_back(AptHold(install.package));
  commands->push_back(Reload());
  return commands;
}

std::vector<std::string> AptFetch(const AptInstall& install) {
  std::vector<std::string> apt = {kAptGet,
                                  "install",
                                  "-y",
                                  "-q",
                                  "--download-only",
                                  "--no-remove",
                                  "--no-install-recommends",
                                  "--allow-change-held-packages"};
  if (install.downgrade) apt.push_back("--allow-downgrades");
  if (install.reinstall) apt.push_back("--reinstall");
  apt.insert(apt.end(), {"-o", kLockTimeout, install.file});
  return apt;
}

std::vector<std::vector<std::string>> AptAtEnd(const AptInstall& install) {
  if (!install.held) return {};
  return {{absl::StrCat("-", kAptMark), "hold", install.package}};
}

std::vector<std::string> AptSimulation(const AptInstall& install) {
  // Allowed here, so that all of it is printed.
  std::vector<std::string> apt = {kAptGet,
                                  "install",
                                  "-s",
                                  "-y",
                                  "-q",
                                  "--no-install-recommends",
                                  "--allow-change-held-packages",
                                  "--allow-downgrades",
                                  "--allow-remove-essential"};
  if (install.reinstall) apt.push_back("--reinstall");
  apt.push_back(install.file);
  return apt;
}

std::vector<std::string> AptUpdate() { return {kAptGet, "update", "-q", "-o", kLockTimeout}; }

std::vector<std::string> AptHold(const std::string& package) { return {kAptMark, "hold", package}; }

std::vector<std::vector<std::string>> AptHolds(const std::vector<std::string>& off,
                                               const std::vector<std::string>& on) {
  std::vector<std::vector<std::string>> commands = {WaitForLock()};
  for (const std::string& package : off) commands.push_back({kAptMark, "unhold", package});
  for (const std::string& package : on) commands.push_back(AptHold(package));
  return commands;
}

std::vector<std::vector<std::string>> Purge(const std::string& package) {
  return {WaitForLock(),
          {kDpkg, "--force-remove-reinstreq", "--force-hold", "--purge", package},
          Reload()};
}

absl::StatusOr<std::vector<std::vector<std::string>>> RepairAndPurge(const ResourceContext& context,
                                                                     const std::string& package) {
  absl::StatusOr<std::vector<std::vector<std::string>>> commands = RepairCommands(context);
  if (!commands.ok()) return commands;
  for (std::vector<std::string>& command : Purge(package)) {
    commands->push_back(std::move(command));
  }
  return commands;
}

}  // namespace connect_ha
