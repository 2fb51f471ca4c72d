// A Connect that was started is looked at before its gate opens.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Why it is not known to be right: it does not answer, is not of the specification's version, or a
// rule that would keep it from service does not pass. "": it is.
std::string WhyNotVerified(Situation& situation, const Member& member);
// The same has been so for longer than a start takes: a person should look.
bool TakesTooLong(Situation& situation, const Member& member);

// Of a member that is SERVING and closed, or is about to be: whether it stays closed, and why ("":
// its gate opens). Where all were stopped, gates open when minimum_serving of them are right, or
// all that are expected.
std::string WhyClosed(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
