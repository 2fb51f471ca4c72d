#include "common/connect_keys.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace connect_ha {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

struct KeyName {
  const char* section;
  const char* name;
};

// Connect's Admin Guide, configuration appendix and the pages on the single settings.
//
// Not confirmed by a page that was read:
//   - that a CONNECT_<SECTION>_<KEY> variable replaces every value of a key with many;
//   - the default of Metrics.DataPath (from release notes of an old version, 1.7.4);
//   - that SQLite.Dir and Server.TempDir have no default that matters to a cluster.
constexpr bool kMany = true;
constexpr const char* kNoDefault = nullptr;

constexpr ConnectKey kKeys[] = {
    {"Server", "Address"},
    {"Server", "DataDir", "/var/lib/rstudio-connect"},
    {"Server", "LandingDir"},
    {"Server", "TempDir"},
    {"Server", "EncryptionKeyFile"},
    {"Server", "EncryptionKey"},
    {"Server", "EmailProvider"},
    {"Server", "SenderEmail"},
    {"Server", "HideEmailAddresses"},
    {"Server", "HideVersion"},
    {"Server", "ProxyHeaderLogging"},
    {"Server", "RVersion", kNoDefault, kMany},
    {"Server", "RVersionScanning"},
    {"Database", "Provider", "sqlite"},
    {"Database", "Dir", "{Server.DataDir}/db"},
    {"Postgres", "URL"},
    {"Postgres", "Password"},
    {"Postgres", "InstrumentationURL"},
    {"Postgres", "InstrumentationPassword"},
    {"SQLite", "Dir"},
    {"SQLite", "Backup"},
    {"SQLite", "ForeignKeyConstraints"},
    {"HTTP", "Listen", ":3939"},
    {"HTTP", "NoWarning"},
    {"HTTP", "ForceSecure"},
    {"HTTPS", "Listen"},
    {"HTTPS", "Key"},
    {"HTTPS", "Certificate"},
    {"HTTPS", "MinimumTLS"},
    {"HTTPS", "Permanent"},
    {"Authentication", "Provider"},
    {"Authentication", "Lifetime"},
    {"Authentication", "Inactivity"},
    {"Authorization", "DefaultUserRole"},
    {"LDAP", "BindPassword"},
    {"LDAP", "MembershipUpdateInterval"},
    {"OAuth2", "ClientSecret"},
    {"SMTP", "Host"},
    {"SMTP", "Port"},
    {"SMTP", "User"},
    {"SMTP", "Password"},
    {"R", "Enabled", "true"},
    {"R", "Executable", kNoDefault, kMany},
    {"R", "ExecutableScanning"},
    {"R", "EnvironmentManagement"},
    {"R", "PositPackageManagerURLRewriting"},
    {"Python", "Enabled", "false"},
    {"Python", "Executable", kNoDefault, kMany},
    {"Quarto", "Enabled", "false"},
    {"Quarto", "Executable", kNoDefault, kMany},
    {"TensorFlow", "Enabled", "false"},
    {"TensorFlow", "Executable", kNoDefault, kMany},
    {"Applications", "RunAs", "rstudio-connect"},
    {"Applications", "SharedRunAsUnixGroup"},
    {"Applications", "RunAsCurrentUser"},
    {"Applications", "ScheduleConcurrency"},
    {"Applications", "BundleRetentionLimit"},
    {"Applications", "PythonEnvironmentReaping"},
    {"Applications", "Supervisor"},
    {"Applications", "OAuthIntegrationsEnabled"},
    {"Scheduler", "InitTimeout"},
    {"Scheduler", "MinProcesses"},
    {"Scheduler", "MaxProcesses"},
    {"Scheduler", "MaxProcessesLimit"},
    {"Metrics", "DataPath", "{Server.DataDir}/metrics/rrd"},
    {"Metrics", "Enabled"},
    {"Metrics", "PrometheusListen"},
    {"Logging", "ServiceLog"},
    {"Logging", "ServiceLogFormat"},
    {"Logging", "ServiceLogLevel"},
    {"Logging", "AccessLog"},
    {"Logging", "AccessLogFormat"},
    {"Logging", "AuditLog"},
    {"Licensing", "LicenseType"},
    {"Licensing", "ExpirationEmail"},
    {"Licensing", "ExpirationUIWarning"},
    {"Bootstrap", "Enabled"},
    {"Bootstrap", "SecretKeyFile"},
    {"Packages", "External", kNoDefault, kMany},
    {"Packages", "ExternalCheckIsFatal"},
    {"Git", "PollingFrequency"},
    {"OpenTelemetry", "CollectorAdvertiseHost"},
    {"Chronicle", "Enabled"},
};

// Sections of which no key is above: seen in the vendor's guides, charts and images, or, those of
// the second line, not confirmed by a page that was read.
constexpr const char* kMoreSections[] = {"Launcher",
                                         "Kubernetes",
                                         "ExecutionEnvironments",
                                         "RPackageRepository",
                                         "HTTPRedirect",
                                         "Password",
                                         "PAM",
                                         "SAML",
                                         "ProxyAuth",
                                         "CORS",
                                         "Client",
                                         "Jobs",
                                         "Runtime"};

// Release notes of 1.7.4 and 1.7.8 (EnforceMinRsconnectVersion); the R keys' page names what the
// Server keys are called now.
struct FormerKey {
  KeyName key;
  const char* what;
};
constexpr FormerKey kFormer[] = {
    {{"LoadBalancing", "EnforceMinRsconnectVersion"},
     "was removed in 1.7.8, since when it always holds; leave it out"},
    {{"Server", "RVersion"}, "is an old name; write R.Executable"},
    {{"Server", "RVersionScanning"}, "is an old name; write R.ExecutableScanning"},
};

// Names a file, for all that it ends as the names of secrets do.
constexpr KeyName kNotSecret[] = {{"HTTPS", "Key"}};

// How the names of secrets end: Postgres.Password, OAuth2.ClientSecret, Server.EncryptionKey.
// Server.EncryptionKeyFile, which names a file, does not.
constexpr const char* kSecretEndings[] = {"Password", "Secret", "Key", "Token", "Passphrase"};

bool Same(std::string_view a, const char* b) { return absl::EqualsIgnoreCase(View(a), b); }

}  // namespace

const std::vector<ConnectKey>& ConnectKeys() {
  static const std::vector<ConnectKey> keys(std::begin(kKeys), std::end(kKeys));
  return keys;
}

const ConnectKey* FindConnectKey(std::string_view section, std::string_view name) {
  const auto& keys = ConnectKeys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConnectKey& key) {
    return Same(section, key.section) && Same(name, key.name);
  });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> ConnectSections() {
  std::vector<std::string> sections(std::begin(kMoreSections), std::end(kMoreSections));
  for (const ConnectKey& key : kKeys) {
    if (std::find(sections.begin(), sections.end(), key.section) == sections.end()) {
      sections.emplace_back(key.section);
    }
  }
  return sections;
}

std::vector<std::string> ConnectKeyNames(std::string_view section) {
  std::vector<std::string> names;
  for (const ConnectKey& key : kKeys) {
    if (Same(section, key.section)) names.emplace_back(key.name);
  }
  return names;
}

const char* WhatBecameOfConnectKey(std::string_view section, std::string_view name) {
  for (const FormerKey& former : kFormer) {
    if (Same(section, former.key.section) && Same(name, former.key.name)) return former.what;
  }
  return nullptr;
}

bool IsSecretKey(std::string_view section, std::string_view name) {
  const bool excepted = std::any_of(
      std::begin(kNotSecret), std::end(kNotSecret),
      [&](const KeyName& key) { return Same(section, key.section) && Same(name, key.name); });
  return !excepted &&
         std::any_of(std::begin(kSecretEndings), std::end(kSecretEndings), [&](const char* ending) {
           return absl::EndsWithIgnoreCase(View(name), ending);
         });
}

}  // namespace connect_ha
