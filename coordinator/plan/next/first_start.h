// A start that may migrate the database, as the generation that is in force.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/backup.h"

namespace connect_ha {

// What was approved covers it, and nothing later: the version that the generation names for which
// all nodes stopped, until that is done; and what was known by then, or approved since and noted
// with that (NoteFirstStart). Of a version that is new to the database (database.h).
bool IsApprovedStart(const v1::PlanInput& input, const v1::DatabaseMemory& database,
                     const std::string& version);

// What it takes for one that is not approved, as for any migration: a word or the maintenance
// window, and the backup before it.
struct FirstStart {
  std::string by;   // who approved it; "": nobody
  std::string why;  // what it waits for, as the end of a sentence; "": nothing
  BackupLook backup;
};
FirstStart LookAtFirstStart(Situation& situation);

}  // namespace connect_ha
