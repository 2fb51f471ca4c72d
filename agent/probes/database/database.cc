#include "agent/probes/database/database.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/probes/connect/connect_secret.h"
#include "agent/probes/connect/encryption_key.h"
#include "agent/probes/database/database_session.h"
#include "agent/probes/database/database_url.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

// Connect 1.7 and older put the password in the URL's place for it.
constexpr char kPasswordPlace[] = "{$}";

// The bytes of the encryption key, however it is given. NotFound: there is none.
absl::StatusOr<std::string> ReadKeyBytes(const ProbeInput& input) {
  const std::string key = input.config->Get("Server", "EncryptionKey").value_or("");
  if (!key.empty()) return key;
  return input.host.ReadFile(EncryptionKeyFile(*input.config));
}

// The configured password in clear text; "" when none is set.
absl::StatusOr<std::string> RevealPassword(const ProbeInput& input, const std::string& name) {
  const std::string value = input.config->Get("Postgres", name).value_or("");
  if (value.empty()) return value;
  const absl::StatusOr<std::string> key = ReadKeyBytes(input);
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

// A password that is set wins over the URL's.
absl::StatusOr<DatabaseTarget> FindTarget(const ProbeInput& input, const std::string& url_name,
                                          const std::string& password_name) {
  const absl::StatusOr<std::string> password = RevealPassword(input, password_name);
  if (!password.ok()) return password.status();
  // The place's own characters are none that a URL may have.
  const std::string text = absl::StrReplaceAll(input.config->Get("Postgres", url_name).value_or(""),
                                               {{kPasswordPlace, ""}});
  absl::StatusOr<DatabaseUrl> url = ParseDatabaseUrl(text);
  if (!url.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("Postgres.", url_name, ": ", url.status().message()));
  }
  DatabaseTarget target;
  target.url = *std::move(url);
  if (!password->empty()) target.url.password = *password;
  target.ca_file = input.agent_config.database_ca_file();
  return target;
}

// Null where the CA file cannot be looked at: libpq says why it cannot be used.
std::shared_ptr<VerifiedChain> FindChain(const ProbeInput& input, const DatabaseTarget& target,
                                         const std::string& path) {
  const std::string ca_file = CaFile(target);
  if (ca_file.empty()) return nullptr;
  const auto make = []() -> absl::StatusOr<std::shared_ptr<VerifiedChain>> {
    return std::make_shared<VerifiedChain>();
  };
  const auto chain = input.cache.verified_chains.Get(input.host, ca_file, make, path);
  return chain.ok() ? **chain : nullptr;
}

// Null with OK: no PostgreSQL is configured.
absl::StatusOr<bool> UsesPostgres(const ProbeInput& input) {
  if (!input.config) {
    if (!input.config_status.ok()) return input.config_status;
    return false;
  }
  return absl::EqualsIgnoreCase(input.config->Get("Database", "Provider").value_or(""), "postgres");
}

absl::Status Read(const ProbeInput& input, const std::string& url_name,
                  const std::string& password_name, const std::string& path, v1::Facts& facts,
                  v1::DatabaseFacts* (v1::Facts::*part)()) {
  absl::StatusOr<DatabaseTarget> target = FindTarget(input, url_name, password_name);
  if (!target.ok()) return target.status();
  target->chain = FindChain(input, *target, path);
  ReadDatabaseServer(
      *target, [&] { return input.host.Now(); },
      [&](const char* field, const std::string& why) {
        MarkUnobserved(facts, absl::StrCat(path, ".", field), why);
      },
      *(facts.*part)());
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadDatabase(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<bool> postgres = UsesPostgres(input);
  if (!postgres.ok()) return postgres.status();
  if (!*postgres) return absl::OkStatus();
  return Read(input, "URL", "Password", "database", facts, &v1::Facts::mutable_database);
}

absl::Status ReadInstrumentationDatabase(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<bool> postgres = UsesPostgres(input);
  if (!postgres.ok()) return postgres.status();
  if (!*postgres || input.config->Get("Postgres", "InstrumentationURL").value_or("").empty()) {
    return absl::OkStatus();
  }
  return Read(input, "InstrumentationURL", "InstrumentationPassword", "instrumentation_database",
              facts, &v1::Facts::mutable_instrumentation_database);
}

}  // namespace connect_ha
