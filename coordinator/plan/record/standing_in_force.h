// Of a change that is in force, and for which no node goes first any more: who is left, and why.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It goes on while something is done on a node. Where nothing is, it waits for what those wait for
// that are left, with what is to be typed then.
void StandInForce(const Situation& situation, const v1::Decision& decision,
                  const v1::Rollout& rollout, v1::RolloutStatus& status);

}  // namespace connect_ha
