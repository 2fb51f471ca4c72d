// A change that goes from node to node: whose turn it is.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// The node is to leave service for what differs there; that enough others serve is asked by whoever
// grants it (move/fence.h). "": it is not, and `waits` says why, where it is to be changed at all.
// Also for drift, so many times in an hour (rollout.restarts_per_hour).
//
// One after the other: while fewer than max_unavailable are out of service that are to serve, those
// that are lost or that people hold left out; the first alone, until it is back as the generation
// says; none while one of them has failed; the eldest member first, cordoned ones last. An OBSERVED
// node only where it was a member as the change began (Rollout.nodes): never because it was just
// enrolled.
std::string TurnOf(Situation& situation, const Change& change, const Member& member,
                   std::string& waits);

// A node that drains for it goes on to be stopped; "": it goes back into service, since nothing was
// done there yet and the change is paused, aborted or another one by now.
std::string WhyItIsStopped(const Situation& situation, const Change& change, const Member& member);

// Why a node that joined since the change began, and is ready to start, is not started as that
// generation: the change does not go on. "": it is; where too few others serve, too, which is said.
std::string WhyNotTakenIn(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
