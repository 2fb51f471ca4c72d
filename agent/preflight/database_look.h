// Whether the database that Connect is configured with lets Connect in, and is one to write to. For
// the preflight.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/connect/connect_config.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

// By the database probe, in its time. What was seen, in words; an error says which stage failed,
// and is the same where it cannot be tried: what is not known is no reason to start.
absl::StatusOr<std::string> LookAtDatabase(Host& host, const v1::AgentConfig& agent_config,
                                           const ConnectConfig& config);

}  // namespace connect_ha
