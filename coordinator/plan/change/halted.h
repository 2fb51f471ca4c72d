// What went wrong with a change, so that nothing more is begun before a person has looked; and what
// leads back from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of a Rollout that is in force and has not ended: a node that it changes, or that goes first, does
// not start, does not come up, or is stuck while it is out of service for it; where not all stop,
// also one that is stuck in service, at what takes no restart. With what was seen there; `fixes`:
// what to type to go on, then what to go back. "": nothing. It is level: what gets right goes on by
// itself.
std::string WhyHalted(Situation& situation, const v1::Rollout& rollout,
                      std::vector<std::string>& fixes);
// The newest generation that was gone to in full, as of PlanMemory; also of a store that does not
// say it yet. 0: there is none.
uint64_t GoodGeneration(const v1::PlanInput& input);
// What to type to go back from a Rollout that is in force, to that generation ("to go back:
// connect-ha spec rollback 7"); where the database may have been migrated since, what comes before
// that. "": nothing leads back.
std::string WayBack(const Situation& situation, const v1::Rollout& rollout);

}  // namespace connect_ha
