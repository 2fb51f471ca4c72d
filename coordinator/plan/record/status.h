// What is shown of a change: computed with each decision, remembered nowhere.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of the decision that it belongs to, whose assignments and memory are filled in. Of two changes
// the one that is under way is shown, and the one to come beside it (RolloutStatus.next).
v1::RolloutStatus StatusOf(Situation& situation, const Change& change,
                           const v1::Decision& decision);

}  // namespace connect_ha
