// The end of a change, for the history.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It ends with this decision.
void End(const Situation& situation, const Change& change, v1::Rollout::End end,
         v1::Rollout& rollout, v1::Decision& decision);

}  // namespace connect_ha
