// Where a node goes that serves, and that nothing takes out of service.
#pragma once

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"

namespace connect_ha {

Move FromServing(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
