// On which terms each node's gate closes by itself. Pure.
#pragma once

#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/node/gate_terms.h"

namespace connect_ha {

// For each node of the input, in its order: whether no other one is known to serve, and told to go
// on, since what is not known does not serve; and the rules that somebody waived there.
std::vector<GateTerms> GateTermsOf(const v1::PlanInput& input, const v1::Decision& decision);

}  // namespace connect_ha
