#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads what EC2 says that it is about to do with this instance, from its metadata service: a spot
// interruption, a rebalance recommendation, scheduled maintenance, and that the Auto Scaling group
// has it end. Nothing off EC2.
absl::Status ReadInstanceNotices(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
