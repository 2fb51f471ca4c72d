// What is said of no node that is about to move.
#pragma once

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Words that count for nothing: the specification may have had the rule fence since.
void SayIdle(Situation& situation);
// Where it is not known who is wrong, that is said once for each rule.
void SayUndecided(Situation& situation);
// The rule that compares them fences only who is known to be wrong.
void SayTwoVersions(Situation& situation);

}  // namespace connect_ha
