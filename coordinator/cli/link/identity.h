#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

// On the coordinator's host: the first admin's identity.
inline constexpr char kCoordinatorsOwn[] = "/var/lib/connect-ha/admin";

// The directory with an admin's certificate and key: `given` (--identity), else
// $CONNECT_HA_IDENTITY, else ~/.config/connect-ha, else kCoordinatorsOwn.
// FailedPrecondition: there is none, or it cannot be read.
absl::StatusOr<std::string> FindIdentity(
    const std::string& given, const std::function<std::string(const std::string&)>& variable);

}  // namespace connect_ha
