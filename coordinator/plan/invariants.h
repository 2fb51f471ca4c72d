// What no decision may do, whatever made it. Asked of every decision in production as in tests:
// where it is broken the decision before stays in force, and it is said loudly.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// One sentence for each invariant that `decision` would break; none: it may be published. Has its
// own way of looking at the input, so that what Decide gets wrong is not taken over.
std::vector<std::string> Broken(const v1::PlanInput& input, const v1::Decision& decision);

}  // namespace connect_ha
