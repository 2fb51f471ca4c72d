// A node alone, as the checklist takes it.
#pragma once

#include <string>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Of a node that is told this state and holds this specification (generation 0: none), with facts
// of this moment.
v1::Snapshot OneNode(const std::string& name, v1::NodeState state, const v1::Desired& held,
                     const v1::Facts& facts, Time now);

}  // namespace connect_ha
