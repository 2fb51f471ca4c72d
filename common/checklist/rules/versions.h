// Steps about versions of Connect that several rules need.
#pragma once

#include <string>

#include "common/checklist/fix.h"

namespace connect_ha {

// For the node to have Connect installed in this version. Where other nodes run another one, these
// are stopped first: two versions against one database are worse than no service.
Fixes InstallConnectFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                        const std::string& version);

}  // namespace connect_ha
