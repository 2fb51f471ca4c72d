// Of the nodes that are to start Connect, who has to wait for the others.
#pragma once

#include <string>
#include <vector>

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/orders.h"

namespace connect_ha {

// Of those that would start at once with several versions none does. Where no Connect answers at
// all, one starts first: it makes the key and the database's tables, which two at once must not.
// And none does as a generation that is left with the same decision.
void HoldBackStarts(Situation& situation, const Change& change, std::vector<Decided>& decided);

// After that. What the database has not known yet may migrate it: a start of it waits until that is
// remembered (PlanMemory.database). The version; "": none is to be remembered.
std::string NoteFirst(const Situation& situation, std::vector<Decided>& decided);

}  // namespace connect_ha
