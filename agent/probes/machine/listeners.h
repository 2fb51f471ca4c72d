#pragma once

#include <vector>

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads the TCP ports that something listens on.
absl::Status ReadListeners(const ProbeInput& input, v1::Facts& facts);

// What is reported of them: sorted, each once. Left out are ports of the ephemeral range on the
// loopback, which every content process opens and closes as it comes and goes.
v1::ListenersFacts SelectListeners(std::vector<v1::Listener> all);

}  // namespace connect_ha
