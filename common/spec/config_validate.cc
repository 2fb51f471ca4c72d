#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/heartbeat.h"
#include "common/spec/config_checker.h"
#include "common/spec/config_loader.h"
#include "common/tls/identity.h"

namespace connect_ha {
namespace {

using google::protobuf::util::TimeUtil;

// A node reports a line for each; a report has its limit.
constexpr int kMostAccounts = 200;

void CheckAccounts(const v1::ClusterSpec& spec, Checker& checker) {
  checker.Require(spec.accounts_size() <= kMostAccounts, "accounts",
                  absl::StrCat("must be at most ", kMostAccounts));
  constexpr uint32_t kNoId = 4294967295;  // -1: chown's "leave as it is"
  // In a fixed order, as a protobuf map has none.
  const std::map<std::string, v1::AccountSpec> accounts(spec.accounts().begin(),
                                                        spec.accounts().end());
  std::map<uint32_t, std::string> owners;
  for (const auto& [name, account] : accounts) {
    const std::string path = absl::StrCat("accounts.", name);
    checker.Require(IsAccountName(name), path,
                    "is not the name of an account: up to 32 letters, digits, _ . - and @, the "
                    "first a letter or _");
    checker.Require(account.has_uid() || account.has_gid(), path, "needs a uid, a gid or both");
    checker.Require(account.uid() != kNoId, path + ".uid", "must be below 4294967295");
    checker.Require(account.gid() != kNoId, path + ".gid", "must be below 4294967295");
    if (!account.has_uid()) continue;
    const auto [first, is_new] = owners.emplace(account.uid(), name);
    checker.Require(
        is_new, path + ".uid",
        absl::StrCat("is ", account.uid(), ", which accounts.", first->second, " has already"));
  }
}

void CheckOwner(const v1::OwnerSpec& owner, Checker& checker) {
  checker.Require(!owner.has_user() || IsAccountName(owner.user()), "storage.owner.user",
                  "must be the name of an account, as rstudio-connect");
  checker.Require(!owner.has_group() || IsAccountName(owner.group()), "storage.owner.group",
                  "must be the name of a group, as rstudio-connect");
  checker.Require(!owner.has_mode() || IsFileMode(owner.mode()), "storage.owner.mode",
                  absl::StrCat("must be octal, as 0755, not \"", owner.mode(), "\""));
}

void CheckStorage(const v1::StorageSpec& storage, Checker& checker) {
  const std::string& mount_point = storage.mount_point();
  if (mount_point.empty()) {
    checker.Require(false, "storage.mount_point",
                    "is missing; write where the data is mounted, as /mnt/connect");
  } else {
    const bool is_plain = IsPlainPath(mount_point) && mount_point != "/";
    checker.Require(is_plain, "storage.mount_point",
                    absl::StrCat("must be an absolute path without . or .. and no / at its end, "
                                 "not \"",
                                 mount_point, "\""));
    checker.Require(!is_plain || IsMountPoint(mount_point), "storage.mount_point",
                    "is too long for the name of a unit of systemd, or ends with \\ or a blank");
    checker.Require(!absl::StartsWith(mount_point + "/", "/opt/rstudio-connect/"),
                    "storage.mount_point",
                    "is below /opt/rstudio-connect, where Connect refuses to keep data");
  }
  if (storage.has_efs()) {
    const std::string& id = storage.efs().file_system();
    checker.Require(IsFileSystemId(id), "storage.efs.file_system",
                    absl::StrCat("must be an EFS id as fs-0123456789abcdef0, not \"", id, "\""));
    const std::string& region = storage.efs().region();
    checker.Require(region.empty() || IsRegion(region), "storage.efs.region",
                    absl::StrCat("must be an AWS region as us-east-1, not \"", region, "\""));
    const std::string& access_point = storage.efs().access_point();
    checker.Require(!storage.efs().has_access_point() || IsAccessPointId(access_point),
                    "storage.efs.access_point",
                    absl::StrCat("must be the id of an access point as fsap-0123456789abcdef0, not "
                                 "\"",
                                 access_point, "\""));
  }
  if (storage.has_nfs()) {
    const v1::NfsSpec& nfs = storage.nfs();
    checker.Require(IsHostName(nfs.server()), "storage.nfs.server",
                    "must be the server's name or address");
    checker.Require(
        !nfs.has_export_() || (IsPlainPath(nfs.export_()) && !absl::EndsWith(nfs.export_(), "\\")),
        "storage.nfs.export", "must be an absolute path");
    checker.Require(!nfs.has_port() || (nfs.port() > 0 && nfs.port() < 65536), "storage.nfs.port",
                    "must be from 1 to 65535");
  }
  CheckOwner(storage.owner(), checker);
}

void CheckPositive(bool given, const google::protobuf::Duration& duration, const std::string& path,
                   Checker& checker) {
  checker.Require(!given || TimeUtil::DurationToMilliseconds(duration) > 0, path,
                  "must be longer than 0s");
}

// Who writes a specification chooses among what root has put there, and names no other command.
void CheckBackup(const v1::BackupSpec& backup, Checker& checker) {
  const std::string path = "database.backup_before_migration";
  checker.Require(IsFileName(backup.command()), path + ".command",
                  absl::StrCat("must be the name of a file in /etc/connect-ha/backup.d on the "
                               "coordinator's host, as pg-dump, not \"",
                               backup.command(), "\""));
  constexpr int64_t kLongest = int64_t{24} * 60 * 60;
  CheckPositive(backup.has_deadline(), backup.deadline(), path + ".deadline", checker);
  checker.Require(backup.deadline().seconds() <= kLongest, path + ".deadline",
                  "must be at most 1d");
}

void CheckDatabase(const v1::DatabaseSpec& database, Checker& checker) {
  checker.Require(!database.has_major_version() ||
                      (database.major_version() >= 10 && database.major_version() < 100),
                  "database.major_version", "must be PostgreSQL's major version alone, as 15");
  checker.Require(database.minimum_minor_version() < 100, "database.minimum_minor_version",
                  "must be the minor version alone, as 18 for 15.18");
  checker.Require(!database.has_minimum_minor_version() || database.has_major_version(),
                  "database.minimum_minor_version", "needs database.major_version beside it");
  constexpr const char* kModes[] = {"disable", "allow",     "prefer",
                                    "require", "verify-ca", "verify-full"};
  const std::string& tls = database.tls();
  checker.Require(!database.has_tls() ||
                      std::find(std::begin(kModes), std::end(kModes), tls) != std::end(kModes),
                  "database.tls",
                  absl::StrCat("must be an sslmode, as verify-full or require, not \"", tls, "\""));
  checker.Require(!database.has_ca_file() || IsPlainPath(database.ca_file()), "database.ca_file",
                  "must be an absolute path, of a file on every node");
  if (database.has_backup_before_migration()) {
    CheckBackup(database.backup_before_migration(), checker);
  }
}

void CheckPlatform(const v1::PlatformSpec& platform, Checker& checker) {
  const auto is_word = [](const std::string& text) { return !text.empty() && !HasBlank(text); };
  const std::string& machine = platform.architecture();
  checker.Require(!platform.has_os_id() || is_word(platform.os_id()), "platform.os_id",
                  "must be ID of /etc/os-release, as ubuntu");
  checker.Require(!platform.has_os_version() || is_word(platform.os_version()),
                  "platform.os_version", "must be VERSION_ID of /etc/os-release, as 22.04");
  checker.Require(
      !platform.has_architecture() || machine == "x86_64" || machine == "aarch64",
      "platform.architecture",
      absl::StrCat("must be as uname -m says, x86_64 or aarch64, not \"", machine, "\""));
}

// With less a node would be lost and back for ever.
void CheckStaleAfter(const v1::LimitsSpec& limits, Checker& checker) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  constexpr std::chrono::milliseconds kLeast = kLeastStaleAfter;
  const std::string least = absl::StrCat(duration_cast<seconds>(kLeast).count(), "s");
  checker.Require(!limits.has_stale_after() ||
                      TimeUtil::DurationToMilliseconds(limits.stale_after()) >= kLeast.count(),
                  "limits.stale_after",
                  absl::StrCat("must be ", least,
                               " or longer, three heartbeats of a node, which sends one every ",
                               duration_cast<seconds>(kHeartbeatInterval).count(),
                               "s; write stale_after: ", least));
}

void CheckLimits(const v1::LimitsSpec& limits, Checker& checker) {
  CheckStaleAfter(limits, checker);
  CheckPositive(limits.has_clock_offset(), limits.clock_offset(), "limits.clock_offset", checker);
  CheckPositive(limits.has_database_stage(), limits.database_stage(), "limits.database_stage",
                checker);
  checker.Require(!limits.has_disk_used_percent() ||
                      (limits.disk_used_percent() >= 1 && limits.disk_used_percent() <= 100),
                  "limits.disk_used_percent", "must be from 1 to 100");
  checker.Require(limits.license_days_left() <= 3650, "limits.license_days_left",
                  "must be at most 3650 days");
}

}  // namespace

std::vector<ConfigProblem> ValidateClusterSpec(const v1::ClusterSpec& spec, const std::string& file,
                                               const FilePositions& positions) {
  Checker checker(file, positions);
  if (spec.cluster().empty()) {
    checker.Require(false, "cluster",
                    "is missing; write the cluster's name, as cluster: analytics");
  } else {
    const absl::Status name = CheckName("name", spec.cluster());
    checker.Require(
        name.ok(), "cluster",
        absl::StrCat("must be 1 to 63 of a-z, 0-9 and -, with no - at either end, not \"",
                     spec.cluster(), "\""));
  }
  CheckInstallation(spec, checker);
  CheckAccounts(spec, checker);
  if (spec.has_storage()) CheckStorage(spec.storage(), checker);
  CheckDatabase(spec.database(), checker);
  CheckLimits(spec.limits(), checker);
  CheckPlatform(spec.platform(), checker);
  CheckService(spec, checker);
  CheckTexts(spec, "", checker);
  return checker.TakeProblems();
}

std::vector<ConfigProblem> ValidateAgentConfig(const v1::AgentConfig& config,
                                               const std::string& file,
                                               const FilePositions& positions) {
  Checker checker(file, positions);
  const std::string& imds = config.imds_endpoint();
  checker.Require(!config.has_imds_endpoint() || absl::StartsWith(imds, "http://"), "imds_endpoint",
                  "must begin with http://");
  checker.Require(!config.has_connect_config() || IsPlainPath(config.connect_config()),
                  "connect_config", "must be an absolute path");
  checker.Require(!config.has_connect_unit() || absl::EndsWith(config.connect_unit(), ".service"),
                  "connect_unit", "must end with .service");
  checker.Require(!config.has_database_ca_file() || IsPlainPath(config.database_ca_file()),
                  "database_ca_file", "must be an absolute path");
  checker.Require(!config.has_artifact_dir() ||
                      (IsPlainPath(config.artifact_dir()) && config.artifact_dir() != "/"),
                  "artifact_dir", "must be an absolute path of a directory, as /srv/packages");
  CheckPositive(config.has_poll_interval(), config.poll_interval(), "poll_interval", checker);
  CheckPositive(config.has_verify_interval(), config.verify_interval(), "verify_interval", checker);
  return checker.TakeProblems();
}

void SetAgentDefaults(v1::AgentConfig& config) {
  if (!config.has_imds_endpoint()) config.set_imds_endpoint("http://169.254.169.254");
  if (!config.has_connect_config()) {
    config.set_connect_config("/etc/rstudio-connect/rstudio-connect.gcfg");
  }
  if (!config.has_connect_unit()) config.set_connect_unit("rstudio-connect.service");
  if (!config.has_poll_interval()) config.mutable_poll_interval()->set_seconds(30);
  if (!config.has_verify_interval()) config.mutable_verify_interval()->set_seconds(600);
  if (!config.has_allow()) config.set_allow(v1::ALLOW_SERVE);
}

}  // namespace connect_ha
