#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

// The directory with an admin's certificate and key: `given` (--identity), else
// $CONNECT_HA_IDENTITY, else ~/.config/connect-ha, else the coordinator's own,
// /var/lib/connect-ha/admin. FailedPrecondition: there is none, or it cannot be read.
absl::StatusOr<std::string> FindIdentity(
    const std::string& given, const std::function<std::string(const std::string&)>& variable);

}  // namespace connect_ha
