// Of a change for which all nodes stop: for whom it waits.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

void StandStopping(const Situation& situation, const Change& change, v1::RolloutStatus& status);

}  // namespace connect_ha
