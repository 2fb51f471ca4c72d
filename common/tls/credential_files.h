// A key and its certificate as two files, DIR/NAME.key and DIR/NAME.crt (0600), that change
// together: a process killed at any point leaves a pair that loads, and one that loads while
// another stores gets the old pair or the new one.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

struct CredentialPair {
  std::string key;
  std::string certificate;
};

// Ends a StoreCredentials that was killed half way. NotFound when there is no pair yet;
// FailedPrecondition when key and certificate do not belong together.
absl::StatusOr<CredentialPair> LoadCredentials(const std::string& dir, const std::string& name);

absl::Status StoreCredentials(const std::string& dir, const std::string& name,
                              const CredentialPair& pair);

}  // namespace connect_ha
