// The real probes on the real machine: for the service, and once for `facts` and `check`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/host/host.h"
#include "agent/loop/gatherer.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// What the node is assigned, for what of it is looked at; asked from a worker's thread. Never null.
using AskOrders = std::function<std::shared_ptr<const v1::Assignment>()>;

// The probes' table and Connect's configuration, without on_done.
GathererOptions MakeGathererOptions(Host& host, const v1::AgentConfig& config, AskOrders orders,
                                    const std::string& digest_key);

// Runs every probe once, by the specification in `state_dir`; kVerify's only when `full`. Takes as
// long as the slowest, or until each that has not come back is past its deadline. `stuck`: some
// have not come back, so that this process must end without waiting for its threads; what they use
// is then never freed.
struct NodeReading {
  v1::Facts facts;
  bool stuck = false;
};
NodeReading ReadNode(Host& host, const v1::AgentConfig& config, const std::string& state_dir,
                     const std::string& digest_key, bool full);

}  // namespace connect_ha
