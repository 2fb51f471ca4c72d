#include "agent/probes/connect/stale_environment.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace connect_ha {
namespace {

using Variables = std::map<std::string, std::string>;

// What the libraries of a program in Go read, and PostgreSQL's driver.
constexpr const char* kOthers[] = {
    "HTTP_PROXY",    "HTTPS_PROXY", "NO_PROXY",  "http_proxy",    "https_proxy",
    "no_proxy",      "PGPASSWORD",  "PGSSLMODE", "PGSSLROOTCERT", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "TMPDIR",      "TZ"};

bool ConnectReads(absl::string_view name) {
  return absl::StartsWith(name, "CONNECT_") ||
         std::any_of(std::begin(kOthers), std::end(kOthers),
                     [&](const char* other) { return name == other; });
}

void Set(const std::string& assignment, Variables& variables) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos) return;
  const std::string name = assignment.substr(0, equals);
  if (ConnectReads(name)) variables[name] = assignment.substr(equals + 1);
}

}  // namespace

std::vector<std::string> StaleVariables(const std::vector<UnitVariable>& of_unit,
                                        const std::vector<std::string>& of_process) {
  Variables now;
  Variables running;
  for (const UnitVariable& variable : of_unit) Set(variable.assignment, now);
  for (const std::string& assignment : of_process) Set(assignment, running);
  std::set<std::string> stale;
  for (const auto& [name, value] : now) {
    const auto it = running.find(name);
    if (it == running.end() || it->second != value) stale.insert(name);
  }
  for (const auto& [name, value] : running) {
    if (now.count(name) == 0) stale.insert(name);
  }
  return {stale.begin(), stale.end()};
}

}  // namespace connect_ha
