// Where a node goes whose Connect rests.
#pragma once

#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"

namespace connect_ha {

// By what people said, or by how its last start ended; else as Prepare.
Move Rest(Situation& situation, const Member& member);
// Nobody wants it to rest: to the specification, and into service as far as it may go.
Move Prepare(Situation& situation, const Member& member);

}  // namespace connect_ha
