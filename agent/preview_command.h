// `connect-ha-agent preview`: what would be changed on this node.
#pragma once

#include <string>

#include "agent/host/writable_host.h"
#include "agent/resources/converge/converge.h"
#include "common/command/command_line.h"

namespace connect_ha {

// Looks at this node by the specification that it holds, and changes nothing. `noun`: as
// Converge::MakePreview. 0: nothing to change; 1: something; 3: something could not be looked at,
// or the node holds no specification.
int PrintNodePreview(WritableHost& host, const ConvergeOptions& options, const std::string& noun,
                     bool json, Terminal& terminal);

// Of a preview for this generation.
int PrintPreview(const v1::Preview& preview, uint64_t generation, Terminal& terminal);

}  // namespace connect_ha
