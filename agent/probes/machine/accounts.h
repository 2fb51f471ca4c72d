#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads the accounts and groups that content runs as, by name: those that the configuration
// names and those that Connect's package makes. One that does not exist is listed without ids.
absl::Status ReadAccounts(const ProbeInput& input, v1::Facts& facts);

// The account that Connect runs content as: Applications.RunAs, else the package's.
// The error says why the configuration cannot be read.
absl::StatusOr<std::string> RunAsAccount(const ProbeInput& input);

}  // namespace connect_ha
