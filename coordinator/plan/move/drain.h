// A node whose Connect runs on while it is out of service.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"

namespace connect_ha {

// Of the rules that took it out those that are not over, and those that would take it out now.
std::vector<std::string> StillOutFor(Situation& situation, const Member& member);
// "clocks-are-synchronised: 5 s apart"
std::string OutText(const Member& member, const std::vector<std::string>& out_for);

// Nothing is known that would move it, until `what` is.
Move StayDraining(Situation& situation, const Change& change, const Member& member,
                  const std::string& what);
// Connect rests there, and may have come to rest for good: that is judged before anything is done.
bool WaitsForJudgement(Situation& situation, const Member& member);
Move FromDraining(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
