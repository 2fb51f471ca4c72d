// The generation that is to come: where it stands before it is begun.
#pragma once

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Fills in what `change` says of it. The first that says no is where it stands.
void LookAtNext(Situation& situation, Change& change);

}  // namespace connect_ha
