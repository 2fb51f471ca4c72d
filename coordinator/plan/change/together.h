// A change for which all nodes stop: who is held, who goes first, and when the gates open again.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Why the node is STOPPED now, wherever it is; "": it is not for that. Downtime was approved: the
// last one goes, too. It is drained as soon as nothing runs there for users (PlanNode.jobs), and
// after drain_timeout.
std::string WhyHeld(const Situation& situation, const Change& change, const Member& member);

// Every member has acknowledged STOPPED or FENCED by the order that it was given, with its Connect
// at rest, or a person has declared it gone. `waits` names the others.
bool AllStopped(const Situation& situation, std::string& waits);

// Who is changed and started alone: the eldest that is fresh, may serve, and that no person holds.
// One that was chosen stays, until it is declared gone or removed. "": nobody can be.
std::string FirstOf(const Situation& situation, const Change& change);
// Where nobody can be, or serves: what keeps each member from it. `fixes`: what lets the first of
// them go.
std::string WhoIsKeptBack(const Situation& situation, std::vector<std::string>& fixes);

}  // namespace connect_ha
