// A change that goes from node to node: who may be out of service for it at once.
#pragma once

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// The change was to change it when it began.
bool IsListed(const Change& change, const Member& member);
// It runs something else, or is to, and could be changed now.
bool Asks(const Situation& situation, const Change& change, const Member& member);

// Once for each decision, when it is known what is under way.
Turns WhoseTurn(const Situation& situation, const Change& change);

}  // namespace connect_ha
