// What a decision adds to what is remembered of a change. Called once, when it is known where each
// node goes.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Fills in generation, rollout, database, backup, spans, restarts of `remember`, whose nodes are
// filled in already, and back_up and ended of `decision`; adds the words that end (APPROVE, ABORT,
// RESTORED) to situation.words. Sets wake_at where anything of it moves nodes.
//
//   begins     the newest generation may be begun: IN_PLACE, ROLLING: it is in force;
//              TOGETHER: a Rollout without in_force_at
//   goes back  TOGETHER, before it is in force: the Rollout is given up (PlanMemory.given_up)
//   in force   TOGETHER: AllStopped; `first` with it
//   verified   `first` is right
//   opened     minimum_serving serve again
//   ends       every node that is there is as it says; or a newer one takes its place, which needs
//              a safe point: before it is in force, or halted, paused or aborted, or not TOGETHER.
//              One that only observes needs none, and no pause keeps it
void Advance(Situation& situation, const Change& change, v1::Decision& decision);

}  // namespace connect_ha
