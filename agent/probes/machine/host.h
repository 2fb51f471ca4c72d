#pragma once

#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Reads what the machine is: name, distribution, kernel, architecture, machine and boot id.
absl::Status ReadHost(const ProbeInput& input, v1::Facts& facts);

// The value of NAME in os-release(5) text, unquoted; "" when it is not given.
std::string OsReleaseValue(absl::string_view text, absl::string_view name);

}  // namespace connect_ha
