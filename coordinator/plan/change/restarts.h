// What takes a restart of Connect on a node that has the generation in force; and of what differs
// there without a change, how often that may be.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// What a node that has the generation in force has still to be restarted for: RESTART, TOGETHER;
// unset where it has not looked at it in full.
v1::Change::Needs NeedsOf(const Situation& situation, const Member& member);
// It was as the generation says once, and differs since: put right on this node alone.
bool IsDrift(const Situation& situation, const Member& member);
// "file /etc/rstudio-connect/rstudio-connect.gcfg": the first for which Connect has to be
// restarted.
std::string ResourceToChange(const Member& member);

// Of drift: why its Connect is not restarted now, as often as others were or are about to be
// (rollout.restarts_per_hour), or since one did not come up again. "": it may be.
std::string WhyNoRestart(Situation& situation, const Change& change, const Member& member);
// The same of one that drains for it already.
bool MayGoOn(const Situation& situation, const Member& member);

}  // namespace connect_ha
