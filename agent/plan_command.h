// `connect-ha-agent plan`: what would be changed on this node.
#pragma once

#include <string>

#include "agent/host/writable_host.h"
#include "agent/resources/converge.h"
#include "common/command_line.h"

namespace connect_ha {

// Looks at this node by the specification that it holds, and changes nothing. `noun`: as
// Converge::MakePlan. 0: nothing to change; 1: something; 3: something could not be looked at, or
// the node holds no specification.
int PrintNodePlan(WritableHost& host, const ConvergeOptions& options, const std::string& noun,
                  bool json, Terminal& terminal);

// Of a plan for this generation.
int PrintPlan(const v1::Plan& plan, uint64_t generation, Terminal& terminal);

}  // namespace connect_ha
