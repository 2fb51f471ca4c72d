// What is written down of a change for people and for the next one: how long nodes were out of
// service, whom their gates refused meanwhile, how long steps took, what was restarted.
#pragma once

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// The members as a change begins; at_once: nothing of it was looked at, and what is only observed
// stays so.
void ListNodes(const Situation& situation, bool at_once, v1::Rollout& rollout);

// rollout.nodes, spans and restarts of what is remembered, by where each node goes.
void KeepAccounts(Situation& situation, const Change& change, v1::Decision& decision);

// A step of this change took so long on a node.
void NoteSpan(const v1::Rollout& rollout, v1::RolloutStep::Step step, Time::duration span,
              v1::PlanMemory& remember);

}  // namespace connect_ha
