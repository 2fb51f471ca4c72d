// Whose specifications this node takes: the public keys in /etc/connect-ha/trusted/NAME.pub.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

inline constexpr char kTrustedDirectory[] = "/etc/connect-ha/trusted";

// Their 32 bytes each, sorted. None: there is no such directory, and what is not signed is taken,
// too. An error says what to do: a directory that is there and cannot be gone by is never "none".
absl::StatusOr<std::vector<std::string>> ReadTrustedSigners(Host& host,
                                                            const std::string& directory);

}  // namespace connect_ha
