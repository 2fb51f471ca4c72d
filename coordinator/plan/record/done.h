// Whether a change that is in force has come to its end.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// A person, or EC2, holds it, or it is where it is to be. Of one that is lost nothing is waited
// for; of one that is late, what it is.
bool IsDoneOn(const Situation& situation, const v1::RolloutNode& node);

// On every node that was a member when it began. Where all had stopped, gates are open again, too.
bool IsDone(const Situation& situation, const v1::Rollout& rollout);

// Though it is done: somebody is not as it says, and would be changed once back. What is made in
// place every node makes by itself.
bool LeavesAnybody(const Situation& situation, const v1::Rollout& rollout);

}  // namespace connect_ha
