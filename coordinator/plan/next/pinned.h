// Runtimes that content is pinned to, and that the newest generation no longer names.
#pragma once

#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// What the one in force names and the newest does not, where it gives such a list at all: refused
// where content is pinned to it; where that is not known, told, and refused where it would be
// removed. Refused also where a node says so of what it would remove beside that.
void LookAtPinned(const Situation& situation, NextKind& next);

}  // namespace connect_ha
