// A node that is out of service, and that users need more than what had it taken out.
#pragma once

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// By a person on the node, or on the change that it drains for: nobody else needs to serve.
bool MayBeDowntime(const Situation& situation, const Change& change, const Member& member);

// What had it taken out was granted while others served. Where it is known that too few do, it is
// better than none: as it would be, had it been the last one then.
bool IsNeededBack(const Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
