// Whether the database that Connect is configured with lets Connect in, and is one to write to. For
// the preflight.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/connect/connect_config.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

struct DatabaseSeen {
  std::string text;
  uint32_t connect_tables = 0;  // 0: none, or it is not known
  std::string migration = {};   // as of DatabaseFacts; "": not known
};

// By the database probe, in its time. What was seen, in words; an error says which stage failed,
// and is one where it cannot be tried, too: what is not known is no reason to start. Unavailable:
// it was tried, and may be otherwise soon.
absl::StatusOr<DatabaseSeen> LookAtDatabase(Host& host, const v1::AgentConfig& agent_config,
                                            const ConnectConfig& config);

}  // namespace connect_ha
