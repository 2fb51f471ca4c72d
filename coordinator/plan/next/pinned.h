// Runtimes that content is pinned to, and that the newest generation no longer names.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// What the one in force names and the newest does not, where it gives such a list at all: refused
// where content is pinned to it; told where that is not known.
void LookAtPinned(const v1::PlanInput& input, NextKind& next);

}  // namespace connect_ha
