#pragma once

#include <vector>

#include "agent/probes/probe.h"

namespace connect_ha {

// Every probe, one row each. A kVerify row stands before the kPass row that reports its result, and
// has the same path, so that one that hangs leaves the latest result (see its checked_at) standing.
const std::vector<Probe>& Probes();

}  // namespace connect_ha
