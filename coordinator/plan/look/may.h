// What may be done to a node, and whether it is moved at all.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// By the specification, a person's word, its agent.yaml and its agent. `why` is why it is no more.
May MayDo(const v1::PlanInput& input, const Member& member, std::string& why);

// Why it is not moved now, as of Member.stays. `awaited`: who was not heard since the coordinator
// started; `restored`: the store is an older copy.
std::string WhyStays(const v1::PlanInput& input, const Member& member, const std::string& awaited,
                     bool restored);

}  // namespace connect_ha
