// What is shown of a change: computed with each decision, remembered nowhere.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of the decision that it belongs to, whose assignments are filled in.
v1::RolloutStatus StatusOf(Situation& situation, const Change& change,
                           const v1::Decision& decision);

// Of the newest generation that is not begun.
v1::Outlook OutlookOf(const Situation& situation, const NextKind& next);

}  // namespace connect_ha
