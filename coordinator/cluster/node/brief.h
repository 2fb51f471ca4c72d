// A node in few words, as lists of nodes and the plan have it.
#pragma once

#include <string>

#include "connect_ha/v1/brief.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "coordinator/cluster/node/known_node.h"

namespace connect_ha {

// All but its facts and what it is to be.
void FillSaid(const std::string& name, const KnownNode& known, v1::NodeBrief* brief);

// What of the facts goes by the specification goes by the one in force.
v1::FactsBrief BriefOf(const HeldFacts& held, const v1::Desired& desired);

}  // namespace connect_ha
