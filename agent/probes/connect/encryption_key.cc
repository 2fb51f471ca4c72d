#include "agent/probes/connect/encryption_key.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect_secret.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr char kFingerprintPath[] = "encryption_key.fingerprint";

// `key` is what the file holds, or the value of Server.EncryptionKey.
void SetFingerprint(const ProbeInput& input, const std::string& key, const std::string& origin,
                    v1::Facts& facts) {
  const auto fingerprint = ConnectKeyFingerprint(key);
  if (!fingerprint.ok()) {
    MarkUnobserved(facts, kFingerprintPath,
                   absl::StrCat(origin, ": ", fingerprint.status().message()));
  } else if (input.digest_key.empty()) {
    MarkUnobserved(facts, kFingerprintPath, "this node is not enrolled: no digest key");
  } else {
    facts.mutable_encryption_key()->set_fingerprint(KeyedDigestHex(input.digest_key, *fingerprint));
  }
}

// Leaves mode and uid unset where there is no such file.
void ReadKeyFile(const ProbeInput& input, const std::string& path,
                 const absl::StatusOr<FileStatus>& status, v1::Facts& facts) {
  facts.mutable_encryption_key()->set_path(path);
  if (status.ok()) {
    facts.mutable_encryption_key()->set_mode(status->mode);
    facts.mutable_encryption_key()->set_uid(status->uid);
  } else if (!absl::IsNotFound(status.status())) {
    MarkUnobserved(facts, "encryption_key.mode", std::string(status.status().message()));
    MarkUnobserved(facts, "encryption_key.uid", std::string(status.status().message()));
  }
  const auto key = input.host.ReadFile(path);
  if (key.ok()) {
    SetFingerprint(input, *key, path, facts);
  } else if (!absl::IsNotFound(key.status())) {
    MarkUnobserved(facts, kFingerprintPath, std::string(key.status().message()));
  }
}

}  // namespace

std::string EncryptionKeyFile(const ConnectConfig& config) {
  std::string configured = config.Get("Server", "EncryptionKeyFile").value_or("");
  if (!configured.empty()) return configured;
  return config.Get("Database", "Dir").value_or("") + "/secret.key";
}

absl::Status ReadEncryptionKey(const ProbeInput& input, v1::Facts& facts) {
  facts.Clear();
  if (!input.config && !input.config_status.ok()) return input.config_status;
  const ConnectConfig defaults({});
  const ConnectConfig& config = input.config ? *input.config : defaults;
  const std::string key = config.Get("Server", "EncryptionKey").value_or("");
  const bool file_configured = !config.Get("Server", "EncryptionKeyFile").value_or("").empty();
  const std::string file = EncryptionKeyFile(config);
  if (file_configured) facts.mutable_encryption_key()->add_sources("Server.EncryptionKeyFile");
  if (!key.empty()) facts.mutable_encryption_key()->add_sources("Server.EncryptionKey");
  if (!key.empty() && !file_configured) {
    SetFingerprint(input, key, "Server.EncryptionKey", facts);
    return absl::OkStatus();
  }
  const absl::StatusOr<FileStatus> status = input.host.Stat(file);
  if (!file_configured) {
    if (absl::IsNotFound(status.status())) return absl::OkStatus();
    facts.mutable_encryption_key()->add_sources("default");
  }
  ReadKeyFile(input, file, status, facts);
  return absl::OkStatus();
}

}  // namespace connect_ha
