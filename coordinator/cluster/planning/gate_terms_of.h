// On which terms each node's gate closes by itself. Pure.
#pragma once

#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/node/gate_terms.h"

namespace connect_ha {

// For each node of the input, in its order: whether no other one serves, is told to go on, and is
// free of what would close its own gate; and the rules that somebody waived there. Of two nodes
// with one such fault each is told that there is no other: both go on. Facts that are old are no
// service; what is not judged, or not heard yet, changes nothing. A waiver's end is told where
// another node serves without it.
std::vector<GateTerms> GateTermsOf(const v1::PlanInput& input, const v1::Decision& decision);

}  // namespace connect_ha
