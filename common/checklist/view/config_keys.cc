#include "common/checklist/view/config_keys.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace connect_ha {
namespace {

// The first row that fits counts. Defaults are those of the Admin Guide's configuration appendix.
constexpr ConfigKeyClass kTable[] = {
    {"Metrics", "DataPath", KeyClass::kMustDiffer, nullptr},
    {"Metrics", "PrometheusListen", KeyClass::kMayDiffer, nullptr},

    // What a node's own address, certificate or disk decides.
    {"HTTP", "Listen", KeyClass::kMayDiffer, ":3939"},
    {"HTTPS", "Listen", KeyClass::kMayDiffer, nullptr},
    {"HTTPS", "Key", KeyClass::kMayDiffer, nullptr},
    {"HTTPS", "Certificate", KeyClass::kMayDiffer, nullptr},
    {"Server", "TempDir", KeyClass::kMayDiffer, nullptr},
    {"Logging", "*", KeyClass::kMayDiffer, nullptr},
    {"OpenTelemetry", "CollectorAdvertiseHost", KeyClass::kMayDiffer, nullptr},
    {"Chronicle", "LocalStoragePath", KeyClass::kMayDiffer, nullptr},

    {"Server", "DataDir", KeyClass::kMustMatch, "/var/lib/rstudio-connect"},
    {"Database", "Provider", KeyClass::kMustMatch, "sqlite"},
    {"R", "Enabled", KeyClass::kMustMatch, "true"},
    {"Python", "Enabled", KeyClass::kMustMatch, "false"},
    {"Applications", "RunAs", KeyClass::kMustMatch, "rstudio-connect"},
    {"Applications", "ScheduleConcurrency", KeyClass::kMustMatch, "2"},

    {"Server", "*", KeyClass::kMustMatch, nullptr},
    {"Database", "*", KeyClass::kMustMatch, nullptr},
    {"Postgres", "*", KeyClass::kMustMatch, nullptr},
    {"SQLite", "*", KeyClass::kMustMatch, nullptr},
    {"HTTP", "*", KeyClass::kMustMatch, nullptr},
    {"HTTPS", "*", KeyClass::kMustMatch, nullptr},
    {"Authentication", "*", KeyClass::kMustMatch, nullptr},
    {"Authorization", "*", KeyClass::kMustMatch, nullptr},
    {"LDAP", "*", KeyClass::kMustMatch, nullptr},
    {"OAuth2", "*", KeyClass::kMustMatch, nullptr},
    {"SAML", "*", KeyClass::kMustMatch, nullptr},
    {"PAM", "*", KeyClass::kMustMatch, nullptr},
    {"ProxyAuth", "*", KeyClass::kMustMatch, nullptr},
    {"Password", "*", KeyClass::kMustMatch, nullptr},
    {"R", "*", KeyClass::kMustMatch, nullptr},
    {"Python", "*", KeyClass::kMustMatch, nullptr},
    {"Quarto", "*", KeyClass::kMustMatch, nullptr},
    {"TensorFlow", "*", KeyClass::kMustMatch, nullptr},
    {"Applications", "*", KeyClass::kMustMatch, nullptr},
    {"Scheduler", "*", KeyClass::kMustMatch, nullptr},
    {"Jobs", "*", KeyClass::kMustMatch, nullptr},
    {"Packages", "*", KeyClass::kMustMatch, nullptr},
    {"RPackageRepository", "*", KeyClass::kMustMatch, nullptr},
    {"Licensing", "*", KeyClass::kMustMatch, nullptr},
    {"Metrics", "*", KeyClass::kMustMatch, nullptr},
    {"Git", "*", KeyClass::kMustMatch, nullptr},
    {"SMTP", "*", KeyClass::kMustMatch, nullptr},
    {"CORS", "*", KeyClass::kMustMatch, nullptr},
    {"LoadBalancing", "*", KeyClass::kMustMatch, nullptr},
    {"Bootstrap", "*", KeyClass::kMustMatch, nullptr},
    {"Chronicle", "*", KeyClass::kMustMatch, nullptr},
    {"OpenTelemetry", "*", KeyClass::kMustMatch, nullptr},
};

constexpr ConfigKeyClass kUnknownKey = {"", "", KeyClass::kUnknown, nullptr};

}  // namespace

const ConfigKeyClass& ClassOf(absl::string_view section, absl::string_view name) {
  for (const ConfigKeyClass& row : kTable) {
    if (!absl::EqualsIgnoreCase(row.section, section)) continue;
    if (absl::string_view(row.name) == "*" || absl::EqualsIgnoreCase(row.name, name)) return row;
  }
  return kUnknownKey;
}

}  // namespace connect_ha
