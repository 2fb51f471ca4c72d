#pragma once

#include <vector>

#include "agent/probes/probe.h"

namespace connect_ha {

// Every probe, one row each. A kVerify row stands before the kPass row that reports its result.
const std::vector<Probe>& Probes();

}  // namespace connect_ha
