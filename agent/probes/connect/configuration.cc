#include "agent/probes/connect/configuration.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/probes/connect/stale_environment.h"
#include "agent/probes/probe_cache.h"
#include "common/connect/config_check.h"
#include "common/connect/connect_keys.h"
#include "common/connect/connect_redaction.h"
#include "common/connect/gcfg.h"
#include "common/time.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

// A file that is no gcfg at all must not fill the report.
constexpr size_t kErrorLimit = 20;

std::string ConfigPath(const v1::AgentConfig& agent_config) {
  return agent_config.has_connect_config() ? agent_config.connect_config()
                                           : "/etc/rstudio-connect/rstudio-connect.gcfg";
}

std::string UnitName(const v1::AgentConfig& agent_config) {
  return agent_config.has_connect_unit() ? agent_config.connect_unit() : "rstudio-connect.service";
}

using Environment = std::vector<UnitVariable>;

// The unit's environment; empty where there is no such unit.
absl::StatusOr<Environment> UnitEnvironment(Host& host, const v1::AgentConfig& agent_config) {
  auto environment = host.ReadUnitEnvironment(UnitName(agent_config));
  if (absl::IsNotFound(environment.status())) return Environment();
  return environment;
}

// What a comment cuts off may be the rest of a login: the 12 of user:12;34@host is no port.
Redacted RedactValue(const ConnectConfig::Key& key, const std::string& value) {
  if (!key.cut_by_comment) return RedactConfigValue(key.name, value);
  Redacted redacted = RedactConfigValue(key.name, value + "@");
  redacted.text.pop_back();
  return redacted;
}

v1::ConfigKey ToFact(const ConnectConfig::Key& key, const std::string& config_path,
                     const std::string& digest_key) {
  v1::ConfigKey fact;
  const Redacted subsection = RedactPasswords(key.subsection);
  fact.set_section(key.section);
  fact.set_subsection(subsection.text);
  fact.set_name(key.name);
  fact.set_source(key.from_environment ? v1::ConfigKey::ENVIRONMENT : v1::ConfigKey::FILE);
  fact.set_file(key.from_environment ? key.file : config_path);
  fact.set_line(key.line);
  std::string secret = subsection.passwords;
  if (IsSecretKey(key.section, key.name)) {
    secret += absl::StrJoin(key.values, "\n");
  } else {
    for (const std::string& value : key.values) {
      const Redacted redacted = RedactValue(key, value);
      fact.add_values(redacted.text);
      secret += redacted.passwords;
    }
  }
  if (!secret.empty() && !digest_key.empty()) {
    fact.set_secret_digest(KeyedDigestHex(digest_key, secret));
  }
  return fact;
}

void SetKeys(const ConnectConfig& config, const std::string& digest_key,
             v1::ConfigurationFacts& facts) {
  std::vector<ConnectConfig::Key> keys = config.keys();
  const auto order = [](const ConnectConfig::Key& key) {
    return std::make_tuple(absl::AsciiStrToLower(key.section), key.subsection,
                           absl::AsciiStrToLower(key.name));
  };
  std::sort(keys.begin(), keys.end(),
            [&](const auto& a, const auto& b) { return order(a) < order(b); });
  for (const ConnectConfig::Key& key : keys) {
    *facts.add_keys() = ToFact(key, facts.path(), digest_key);
  }
}

void SetNotes(const GcfgFile& file, v1::ConfigurationFacts& facts) {
  for (const ConfigNote& note : CheckConnectConfig(file)) {
    auto& notes = note.kind == ConfigNote::Kind::kRefused ? *facts.mutable_errors()
                                                          : *facts.mutable_warnings();
    if (static_cast<size_t>(notes.size()) == kErrorLimit) continue;
    v1::ConfigError& fact = *notes.Add();
    fact.set_line(note.line);
    fact.set_column(note.column);
    fact.set_message(note.message);
  }
}

// Which variables Connect's process has otherwise than its unit now.
void SetStaleEnvironment(const ProbeInput& input, const Environment& environment,
                         v1::Facts& facts) {
  const auto process = input.host.ReadProcessEnvironment(UnitName(input.agent_config));
  if (absl::IsNotFound(process.status())) return;  // it does not run
  if (!process.ok()) {
    MarkUnobserved(facts, "configuration.stale_environment",
                   std::string(process.status().message()));
    return;
  }
  for (const std::string& name : StaleVariables(environment, *process)) {
    facts.mutable_configuration()->add_stale_environment(name);
  }
}

void SetStatus(const FileStatus& status, v1::ConfigurationFacts& facts) {
  facts.set_mode(status.mode);
  facts.set_uid(status.uid);
  facts.set_gid(status.gid);
  *facts.mutable_modified_at() = ToProto(status.modified_at);
}

// A change of the owner or the mode is a change of the file for the kernel, and none of what
// Connect has read: while the content stays, its time does.
Time ContentChangedAt(const std::string& text, const FileStatus& status, ProbeCache& cache) {
  const std::string sha256 = Sha256(text);
  const std::optional<KeptContent> kept = cache.configuration.Get();
  if (kept && kept->sha256 == sha256 && kept->changed_at <= status.changed_at) {
    return kept->changed_at;
  }
  cache.configuration.Put({sha256, status.changed_at});
  return status.changed_at;
}

}  // namespace

absl::StatusOr<ConnectConfig> LoadConnectConfig(Host& host, const v1::AgentConfig& agent_config) {
  const std::string path = ConfigPath(agent_config);
  const auto text = host.ReadFile(path);
  if (!text.ok()) return text.status();
  const auto environment = UnitEnvironment(host, agent_config);
  if (!environment.ok()) return environment.status();
  const GcfgFile file = ParseGcfg(*text);
  if (!file.errors.empty()) {
    const GcfgError& error = file.errors.front();
    return absl::FailedPreconditionError(
        absl::StrCat(path, ":", error.line, ":", error.column, ": ", error.message));
  }
  return MergeConnectConfig(file.entries, *environment);
}

absl::Status ReadConfiguration(const ProbeInput& input, v1::Facts& facts) {
  facts.Clear();
  v1::ConfigurationFacts& configuration = *facts.mutable_configuration();
  const std::string path = ConfigPath(input.agent_config);
  configuration.set_path(path);
  const auto status = input.host.Stat(path);
  if (!status.ok() && !absl::IsNotFound(status.status())) return status.status();
  if (status.ok()) SetStatus(*status, configuration);

  GcfgFile file;
  const auto text = input.host.ReadFile(path);
  if (text.ok()) {
    if (status.ok()) {
      *configuration.mutable_changed_at() = ToProto(ContentChangedAt(*text, *status, input.cache));
    }
    file = ParseGcfg(*text);
    SetNotes(file, configuration);
    file.entries = WithoutStraySecrets(file.entries);
    if (input.digest_key.empty()) {
      MarkUnobserved(facts, "configuration.digest", "this node is not enrolled: no digest key");
    } else {
      configuration.set_digest(KeyedDigestHex(input.digest_key, *text));
    }
  } else if (!absl::IsNotFound(text.status())) {
    for (const char* part :
         {"changed_at", "digest", "keys", "errors", "warnings", "stale_environment"}) {
      MarkUnobserved(facts, absl::StrCat("configuration.", part),
                     std::string(text.status().message()));
    }
    return absl::OkStatus();
  }
  const auto environment = UnitEnvironment(input.host, input.agent_config);
  if (!environment.ok()) {
    for (const char* part : {"configuration.keys", "configuration.stale_environment"}) {
      MarkUnobserved(facts, part, std::string(environment.status().message()));
    }
    return absl::OkStatus();
  }
  SetStaleEnvironment(input, *environment, facts);
  SetKeys(MergeConnectConfig(file.entries, *environment), input.digest_key, configuration);
  return absl::OkStatus();
}

}  // namespace connect_ha
