#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads whether the kernel's clock is kept, how well, and by which service.
absl::Status ReadClock(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
