// `connect-ha-agent run`: the service.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/assignment/set_aside.h"
#include "agent/host/watcher.h"
#include "agent/link/identity.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

// What this node's events mean to the probes.
WatcherOptions NodeEvents(const v1::AgentConfig& config);

// Whose orders count on this machine.
Owner OwnerOf(const NodeIdentity& identity, const std::string& machine_id);

// Waits until the node is enrolled, then reports until SIGTERM, or until the node is enrolled
// anew. Talks to systemd as sd_notify(3) says. `config` has its defaults set.
absl::Status RunAgent(const std::string& state_dir, const v1::AgentConfig& config);

}  // namespace connect_ha
