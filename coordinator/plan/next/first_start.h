// A start that may migrate the database, as the generation that is in force.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// What was approved covers it, and nothing later: the version that the generation names for which
// all nodes stopped, until that is done; and what was known by then, or approved since and noted
// with that (NoteFirstStart). Of a version that is new to the database (database.h).
bool IsApprovedStart(const v1::PlanInput& input, const v1::DatabaseMemory& database,
                     const std::string& version);

// Who approved a start since the generation is in force: what was said before that was said of
// something else. Null: nobody.
const v1::Word* ApprovalSince(const Situation& situation);

}  // namespace connect_ha
