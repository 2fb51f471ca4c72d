// Who is the only one that serves. Pure.
#pragma once

#include <vector>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// For each node of the input, in its order: no other one is known to serve, and told to go on. What
// is not known does not serve.
std::vector<bool> NoOtherServes(const v1::PlanInput& input, const v1::Decision& decision);

}  // namespace connect_ha
