// The same cluster with other names, which sort the other way round: no name decides anything.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha::simulation {

// "": "".
std::string Renamed(const std::string& name);
v1::PlanInput Renamed(const v1::PlanInput& input);

// `decision` and what was decided `once_renamed`: what they remember, of the change above all, what
// has ended by them and what they show of it, but for texts. "": it is the same but for the names.
std::string RememberedOtherwise(const v1::Decision& decision, const v1::Decision& once_renamed);

}  // namespace connect_ha::simulation
