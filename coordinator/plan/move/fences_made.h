// Whom rules have fenced in the last hour: of these there may be so many.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/orders.h"

namespace connect_ha {

// One that a clock which ran back has put into the future counts.
std::set<std::string> FencedLately(const Situation& situation);
void RememberFences(Situation& situation, const std::vector<Decided>& decided,
                    v1::PlanMemory& memory);

}  // namespace connect_ha
