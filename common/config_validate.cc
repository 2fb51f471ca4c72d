#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/config_loader.h"
#include "common/identity.h"

namespace connect_ha {
namespace {

using google::protobuf::util::TimeUtil;

// Collects problems, each at the place of the value, or of the nearest thing around it.
class Checker {
 public:
  Checker(const std::string& file, const FilePositions& positions)
      : file_(file), positions_(positions) {}

  void Require(bool holds, const std::string& path, const std::string& problem) {
    if (!holds) problems_.push_back({file_, Find(path), absl::StrCat(path, " ", problem)});
  }

  std::vector<ConfigProblem> TakeProblems() { return std::move(problems_); }

 private:
  FilePosition Find(std::string path) const {
    for (;;) {
      const auto found = positions_.find(path);
      if (found != positions_.end()) return found->second;
      const size_t end = path.find_last_of(".[");
      if (end == std::string::npos) return positions_.empty() ? FilePosition{} : FilePosition{1, 1};
      path.resize(end);
    }
  }

  const std::string file_;
  const FilePositions& positions_;
  std::vector<ConfigProblem> problems_;
};

bool IsDigits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// Three numbers with dots between.
bool IsFullVersion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  return parts.size() == 3 && std::all_of(parts.begin(), parts.end(), IsDigits);
}

// 2024.08.0, perhaps with -dev or -preview. Not a package's version: 2024.08.0~ubuntu22.
bool IsConnectVersion(const std::string& text) {
  const std::string numbers = text.substr(0, text.find('-'));
  const bool known_characters = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-';
  });
  return known_characters && IsFullVersion(numbers) && text.find('.') == 4 && text.back() != '-';
}

// Absolute, and in the one form that mount tables have.
bool IsPlainPath(const std::string& path) {
  if (!absl::StartsWith(path, "/") || (path.size() > 1 && absl::EndsWith(path, "/"))) return false;
  const std::vector<std::string> parts = absl::StrSplit(path.substr(1), '/');
  return path == "/" || std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
           return part.empty() || part == "." || part == "..";
         });
}

bool HasBlank(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c <= ' ' || c == 127; });
}

bool IsFileSystemId(const std::string& text) {
  return absl::StartsWith(text, "fs-") && (text.size() == 11 || text.size() == 20) &&
         std::all_of(text.begin() + 3, text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// us-east-1, us-gov-west-1.
bool IsRegion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '-');
  return parts.size() >= 3 && IsDigits(parts.back()) &&
         std::all_of(parts.begin(), parts.end() - 1, [](const std::string& part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return absl::ascii_islower(c);
           });
         });
}

void CheckRuntimes(const google::protobuf::RepeatedPtrField<v1::RuntimeSpec>& runtimes,
                   const std::string& path, const std::string& example, Checker& checker) {
  std::map<std::string, int> seen;
  for (int i = 0; i < runtimes.size(); ++i) {
    const std::string& version = runtimes[i].version();
    const std::string place = absl::StrCat(path, "[", i, "].version");
    if (version.empty()) {
      checker.Require(false, place, absl::StrCat("is missing; write {version: ", example, "}"));
      continue;
    }
    checker.Require(IsFullVersion(version), place,
                    absl::StrCat("must be a full version as ", example, ", not \"", version, "\""));
    checker.Require(seen.emplace(version, i).second, place,
                    absl::StrCat("is \"", version, "\" a second time"));
  }
}

void CheckAccounts(const v1::ClusterSpec& spec, Checker& checker) {
  constexpr uint32_t kNoId = 4294967295;  // -1: chown's "leave as it is"
  // In a fixed order, as a protobuf map has none.
  const std::map<std::string, v1::AccountSpec> accounts(spec.accounts().begin(),
                                                        spec.accounts().end());
  for (const auto& [name, account] : accounts) {
    const std::string path = absl::StrCat("accounts.", name);
    checker.Require(
        !name.empty() && !HasBlank(name) && name.find_first_of(":/,") == std::string::npos, path,
        "is not the name of an account");
    checker.Require(account.has_uid() || account.has_gid(), path, "needs a uid, a gid or both");
    checker.Require(account.uid() != kNoId, path + ".uid", "must be below 4294967295");
    checker.Require(account.gid() != kNoId, path + ".gid", "must be below 4294967295");
  }
}

void CheckStorage(const v1::StorageSpec& storage, Checker& checker) {
  const std::string& mount_point = storage.mount_point();
  if (mount_point.empty()) {
    checker.Require(false, "storage.mount_point",
                    "is missing; write where the data is mounted, as /mnt/connect");
  } else {
    checker.Require(IsPlainPath(mount_point) && mount_point != "/", "storage.mount_point",
                    absl::StrCat("must be an absolute path without . or .. and no / at its end, "
                                 "not \"",
                                 mount_point, "\""));
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
  }
  if (storage.has_nfs()) {
    const v1::NfsSpec& nfs = storage.nfs();
    checker.Require(!nfs.server().empty() && !HasBlank(nfs.server()), "storage.nfs.server",
                    "must be the server's name or address");
    checker.Require(!nfs.has_export_() || IsPlainPath(nfs.export_()), "storage.nfs.export",
                    "must be an absolute path");
    checker.Require(!nfs.has_port() || (nfs.port() > 0 && nfs.port() < 65536), "storage.nfs.port",
                    "must be from 1 to 65535");
  }
}

void CheckDatabase(const v1::DatabaseSpec& database, Checker& checker) {
  checker.Require(!database.has_major_version() ||
                      (database.major_version() >= 10 && database.major_version() < 100),
                  "database.major_version", "must be PostgreSQL's major version alone, as 15");
  checker.Require(database.minimum_minor_version() < 100, "database.minimum_minor_version",
                  "must be the minor version alone, as 18 for 15.18");
  checker.Require(!database.has_minimum_minor_version() || database.has_major_version(),
                  "database.minimum_minor_version", "needs database.major_version beside it");
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

void CheckPositive(bool given, const google::protobuf::Duration& duration, const std::string& path,
                   Checker& checker) {
  checker.Require(!given || TimeUtil::DurationToMilliseconds(duration) > 0, path,
                  "must be longer than 0s");
}

void CheckLimits(const v1::LimitsSpec& limits, Checker& checker) {
  CheckPositive(limits.has_stale_after(), limits.stale_after(), "limits.stale_after", checker);
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
  const std::string& version = spec.connect().version();
  checker.Require(!spec.connect().has_version() || IsConnectVersion(version), "connect.version",
                  absl::StrCat("must be a version as 2024.08.0, not \"", version, "\""));
  CheckRuntimes(spec.runtimes().r(), "runtimes.r", "4.3.3", checker);
  CheckRuntimes(spec.runtimes().python(), "runtimes.python", "3.11.9", checker);
  CheckRuntimes(spec.runtimes().quarto(), "runtimes.quarto", "1.5.57", checker);
  CheckAccounts(spec, checker);
  if (spec.has_storage()) CheckStorage(spec.storage(), checker);
  CheckDatabase(spec.database(), checker);
  CheckLimits(spec.limits(), checker);
  CheckPlatform(spec.platform(), checker);
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
}

}  // namespace connect_ha
