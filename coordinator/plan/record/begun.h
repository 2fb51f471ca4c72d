// A change as it begins.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of the newest generation, whose turn has come: in force at once, but for one that all stop for.
v1::Rollout Begun(const Situation& situation, const Change& change);

}  // namespace connect_ha
