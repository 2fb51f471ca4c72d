#include "agent/probes/database/database_target.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/probes/connect/connect_secret.h"
#include "agent/probes/connect/encryption_key.h"
#include "agent/probes/database/database_url.h"

namespace connect_ha {
namespace {

// Connect 1.7 and older put the password in the URL's place for it.
constexpr char kPasswordPlace[] = "{$}";

// The bytes of the encryption key, however it is given. NotFound: there is none.
absl::StatusOr<std::string> ReadKeyBytes(Host& host, const ConnectConfig& config) {
  const std::string key = config.Get("Server", "EncryptionKey").value_or("");
  if (!key.empty()) return key;
  return host.ReadFile(EncryptionKeyFile(config));
}

// The configured password in clear text; "" when none is set.
absl::StatusOr<std::string> RevealPassword(Host& host, const ConnectConfig& config,
                                           const char* name) {
  const std::string value = config.Get("Postgres", name).value_or("");
  if (value.empty()) return value;
  const absl::StatusOr<std::string> key = ReadKeyBytes(host, config);
  if (absl::IsNotFound(key.status())) return value;  // without a key nothing is encrypted
  if (!key.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the encryption key, which Postgres.", name,
                     " may need, cannot be read: ", key.status().message()));
  }
  absl::StatusOr<std::string> clear = RevealConnectSecret(*key, value);
  if (!clear.ok()) {
    return absl::UnavailableError(
        absl::StrCat("Postgres.", name, " cannot be decrypted: ", clear.status().message()));
  }
  return clear;
}

// Null where the CA file cannot be looked at: libpq says why it cannot be used.
std::shared_ptr<VerifiedChain> FindChain(Host& host, const DatabaseTarget& target,
                                         ProbeCache& cache, const std::string& chain_of) {
  const std::string ca_file = CaFile(target);
  if (ca_file.empty()) return nullptr;
  const auto make = []() -> absl::StatusOr<std::shared_ptr<VerifiedChain>> {
    return std::make_shared<VerifiedChain>();
  };
  const auto chain = cache.verified_chains.Get(host, ca_file, make, chain_of);
  return chain.ok() ? **chain : nullptr;
}

}  // namespace

bool UsesPostgres(const ConnectConfig& config) {
  return absl::EqualsIgnoreCase(config.Get("Database", "Provider").value_or(""), "postgres");
}

// A password that is set wins over the URL's.
absl::StatusOr<DatabaseTarget> FindDatabaseTarget(Host& host, const v1::AgentConfig& agent_config,
                                                  const ConnectConfig& config,
                                                  const DatabaseKeys& keys, ProbeCache& cache,
                                                  const std::string& chain_of) {
  const absl::StatusOr<std::string> password = RevealPassword(host, config, keys.password);
  if (!password.ok()) return password.status();
  // The place's own characters are none that a URL may have.
  const std::string text =
      absl::StrReplaceAll(config.Get("Postgres", keys.url).value_or(""), {{kPasswordPlace, ""}});
  absl::StatusOr<DatabaseUrl> url = ParseDatabaseUrl(text);
  if (!url.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("Postgres.", keys.url, ": ", url.status().message()));
  }
  DatabaseTarget target;
  target.url = *std::move(url);
  if (!password->empty()) target.url.password = *password;
  target.ca_file = agent_config.database_ca_file();
  target.chain = FindChain(host, target, cache, chain_of);
  return target;
}

}  // namespace connect_ha
