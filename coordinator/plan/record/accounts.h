// What is written down of a change for people and for the next one: how long nodes were out of
// service, whom their gates refused meanwhile, how long steps took, what was restarted.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// rollout.nodes, spans and restarts of what is remembered, by where each node goes.
void KeepAccounts(Situation& situation, const Change& change, v1::Decision& decision);

// Its nodes' accounts alone, by where each goes (remember.nodes).
void NoteOut(const Situation& situation, const v1::PlanMemory& remember, v1::Rollout& rollout);
// Who is out still is counted up to now, and no longer.
void CloseAccounts(const Situation& situation, v1::Rollout& rollout);

}  // namespace connect_ha
