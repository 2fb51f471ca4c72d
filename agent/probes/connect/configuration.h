// Connect's configuration as it is in effect on this node.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// The file and the environment of Connect's unit, as one. NotFound: there is no file.
// FailedPrecondition: the file is not gcfg, and Connect would not start with it.
absl::StatusOr<ConnectConfig> LoadConnectConfig(Host& host, const v1::AgentConfig& agent_config);

// Fills Facts.configuration; looks at the file itself, not at input.config.
absl::Status ReadConfiguration(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
