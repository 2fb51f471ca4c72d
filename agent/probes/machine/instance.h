#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads what EC2 says of this instance, through its metadata service, version 2: a token first,
// then one item a request. Asked once per boot, since the answers hold until the next one.
//
// Off EC2 the facts are absent, and nothing is asked: the firmware's tables say "Amazon EC2" on
// an instance. Another AgentConfig.imds_endpoint than EC2's own is asked whatever the firmware
// says.
absl::Status ReadInstance(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
