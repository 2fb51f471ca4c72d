// Whether the plan sees another node than before.
#pragma once

#include "coordinator/cluster/node/known_node.h"

namespace connect_ha {

// But for what its heartbeat changes for rules, too, and for what is only shown: how far it is with
// a step, and what its gate has counted.
bool PlanSeesTheSame(const KnownNode& a, const KnownNode& b);

}  // namespace connect_ha
