// Where a node goes whose Connect rests.
#pragma once

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"

namespace connect_ha {

// By what people said, since others come first, or by how its last start ended; else as Prepare.
Move Rest(Situation& situation, const Change& change, const Member& member);
// Nobody wants it to rest: to the specification, and into service as far as it may go. Its gate is
// closed until it was looked at.
Move Prepare(Situation& situation, const Member& member);

}  // namespace connect_ha
