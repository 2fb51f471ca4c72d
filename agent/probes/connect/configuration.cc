#include "agent/probes/connect/configuration.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// The unit's environment; empty where there is no such unit.
absl::StatusOr<std::vector<std::string>> UnitEnvironment(Host& host,
                                                         const v1::AgentConfig& agent_config) {
  auto environment = host.ReadUnitEnvironment(
      agent_config.has_connect_unit() ? agent_config.connect_unit() : "rstudio-connect.service");
  if (absl::IsNotFound(environment.status())) return std::vector<std::string>();
  return environment;
}

v1::ConfigKey ToFact(const ConnectConfig::Key& key, const std::string& digest_key) {
  v1::ConfigKey fact;
  const Redacted subsection = RedactPasswords(key.subsection);
  fact.set_section(key.section);
  fact.set_subsection(subsection.text);
  fact.set_name(key.name);
  fact.set_source(key.from_environment ? v1::ConfigKey::ENVIRONMENT : v1::ConfigKey::FILE);
  fact.set_line(key.line);
  std::string secret = subsection.passwords;
  if (IsSecretKey(key.section, key.name)) {
    secret += absl::StrJoin(key.values, "\n");
  } else {
    for (const std::string& value : key.values) {
      const Redacted redacted = RedactConfigValue(key.name, value);
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
  for (const ConnectConfig::Key& key : keys) *facts.add_keys() = ToFact(key, digest_key);
}

// A name without a value that is no key: it may be a secret that stands below its key.
bool MayBeASecret(const GcfgEntry& entry) {
  return !entry.value && FindConnectKey(entry.section, entry.name) == nullptr;
}

void SetErrors(const GcfgFile& file, v1::ConfigurationFacts& facts) {
  std::vector<GcfgError> errors = ConfigurationErrors(file);
  errors.resize(std::min(errors.size(), kErrorLimit));
  for (const GcfgError& error : errors) {
    v1::ConfigError& fact = *facts.add_errors();
    fact.set_line(error.line);
    fact.set_column(error.column);
    fact.set_message(error.message);
  }
}

void SetStatus(const FileStatus& status, v1::ConfigurationFacts& facts) {
  facts.set_mode(status.mode);
  facts.set_uid(status.uid);
  facts.set_gid(status.gid);
  *facts.mutable_modified_at() = ToProto(status.modified_at);
}

}  // namespace

std::vector<GcfgError> ConfigurationErrors(const GcfgFile& file) {
  std::vector<GcfgError> errors;
  for (const GcfgEntry& entry : file.entries) {
    if (entry.value) continue;
    // Connect's documentation asks for the =, though go-gcfg does not.
    errors.push_back(
        {entry.line, entry.column,
         MayBeASecret(entry)
             ? "a name without = that is no key of Connect's; write a value behind its key's ="
             : absl::StrCat(entry.name, " has no =; write ", entry.name, " = and its value")});
  }
  errors.insert(errors.end(), file.errors.begin(), file.errors.end());
  return errors;
}

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
    file = ParseGcfg(*text);
    SetErrors(file, configuration);
    file.entries.erase(std::remove_if(file.entries.begin(), file.entries.end(), MayBeASecret),
                       file.entries.end());
    if (input.digest_key.empty()) {
      MarkUnobserved(facts, "configuration.digest", "this node is not enrolled: no digest key");
    } else {
      configuration.set_digest(KeyedDigestHex(input.digest_key, *text));
    }
  } else if (!absl::IsNotFound(text.status())) {
    for (const char* part : {"digest", "keys", "errors"}) {
      MarkUnobserved(facts, absl::StrCat("configuration.", part),
                     std::string(text.status().message()));
    }
    return absl::OkStatus();
  }
  const auto environment = UnitEnvironment(input.host, input.agent_config);
  if (!environment.ok()) {
    MarkUnobserved(facts, "configuration.keys", std::string(environment.status().message()));
    return absl::OkStatus();
  }
  SetKeys(MergeConnectConfig(file.entries, *environment), input.digest_key, configuration);
  return absl::OkStatus();
}

}  // namespace connect_ha
