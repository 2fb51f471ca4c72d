// Where each node stands in a change, for people.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// One step for each node, sorted. `rollout` is empty for a generation that is not begun.
void AddSteps(Situation& situation, const v1::Decision& decision, const v1::Rollout& rollout,
              v1::RolloutStatus& status);

}  // namespace connect_ha
