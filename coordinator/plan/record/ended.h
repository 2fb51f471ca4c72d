// The end of a change, for the history.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It ends with this decision.
void End(const Situation& situation, const Change& change, v1::Rollout::End end,
         v1::Rollout& rollout, v1::Decision& decision);

// The one that is remembered, before all nodes had stopped. The history has it at once, and once
// more, with the same times, when its nodes are back: in the place of the first. What it took the
// place of goes on from where it stood.
void GiveUp(const Situation& situation, const Change& change, v1::Rollout::End end,
            v1::Decision& decision);
// While its nodes are on their way back; for a quarter of an hour at the most.
void KeepGivenUp(const Situation& situation, v1::Decision& decision);
// Another one begins in the place of what is under way. Where all nodes are to stop for it, that
// one is kept, with its end, until no way leads back to it any more (PlanMemory.given_up).
void Supersede(const Situation& situation, const Change& change, const v1::Rollout& next,
               v1::Decision& decision);

}  // namespace connect_ha
