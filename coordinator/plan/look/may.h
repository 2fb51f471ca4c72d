// What may be done to a node.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// By the specification, a person's word, its agent.yaml and its agent. `why` is why it is no more.
May MayDo(const v1::PlanInput& input, const Member& member, std::string& why);

}  // namespace connect_ha
