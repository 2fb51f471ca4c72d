// Join tokens, and which node names they are good for.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/tls/join_proof.h"

namespace connect_ha {

// A new token: the id is 10 characters of a-z and 2-7, the secret 52 (256 bits of randomness).
JoinToken MakeJoinToken();

// * stands for any characters, none included; ? for one. Empty: every name.
bool NameMatches(std::string_view pattern, std::string_view name);
absl::Status CheckNamePattern(std::string_view pattern);
// Whether the pattern is one name.
bool IsExactName(std::string_view pattern);

}  // namespace connect_ha
