#include "common/tls/credential_files.h"

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/tls/certificate.h"

namespace connect_ha {
namespace {

constexpr mode_t kSecret = 0600;

struct Paths {
  Paths(const std::string& dir, const std::string& name)
      : key(absl::StrCat(dir, "/", name, ".key")),
        next_key(key + ".next"),
        certificate(absl::StrCat(dir, "/", name, ".crt")) {}
  std::string key;
  std::string next_key;
  std::string certificate;
};

// Who stores and who loads may do this at one time: one of them finds it done.
absl::Status PutKeyInPlace(const Paths& paths, const std::string& key) {
  const absl::Status status = RenameFile(paths.next_key, paths.key);
  if (!absl::IsNotFound(status)) return status;
  const auto placed = ReadSmallFile(paths.key);
  return placed.ok() && *placed == key ? absl::OkStatus() : status;
}

absl::StatusOr<CredentialPair> LoadOnce(const Paths& paths) {
  const auto certificate = ReadSmallFile(paths.certificate);
  if (!certificate.ok()) return certificate.status();
  const auto key = ReadSmallFile(paths.key);
  if (key.ok() && KeyMatches(*key, *certificate)) return CredentialPair{*key, *certificate};
  const auto next_key = ReadSmallFile(paths.next_key);
  if (next_key.ok() && KeyMatches(*next_key, *certificate)) {
    if (absl::Status status = PutKeyInPlace(paths, *next_key); !status.ok()) return status;
    return CredentialPair{*next_key, *certificate};
  }
  if (!key.ok() && !absl::IsNotFound(key.status())) return key.status();
  return absl::FailedPreconditionError(
      absl::StrCat(paths.key, " is missing or not the key of ", paths.certificate));
}

}  // namespace

// The new key waits as NAME.key.next until the new certificate is in place: whichever of the two
// keys belongs to NAME.crt is the one that counts.
absl::Status StoreCredentials(const std::string& dir, const std::string& name,
                              const CredentialPair& pair) {
  const Paths paths(dir, name);
  if (absl::Status status = WriteSmallFile(paths.next_key, pair.key, kSecret); !status.ok()) {
    return status;
  }
  if (absl::Status status = WriteSmallFile(paths.certificate, pair.certificate, kSecret);
      !status.ok()) {
    return status;
  }
  return PutKeyInPlace(paths, pair.key);
}

absl::StatusOr<CredentialPair> LoadCredentials(const std::string& dir, const std::string& name) {
  const Paths paths(dir, name);
  auto pair = LoadOnce(paths);
  // Another process may have stored a pair between two of our reads: a second look finds it.
  return absl::IsFailedPrecondition(pair.status()) ? LoadOnce(paths) : pair;
}

}  // namespace connect_ha
