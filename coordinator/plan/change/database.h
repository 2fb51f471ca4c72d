// Which version of Connect may be started against the database.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// What is remembered, and what nodes say that they have started or run since
// (PlanNode.newest_start, running_version), but for what was before the database was put back
// (Word.RESTORED).
v1::DatabaseMemory DatabaseNow(const Situation& situation);

// The database says that nothing was migrated since what ran before the newest.
bool IsAsBefore(const Situation& situation, const v1::DatabaseMemory& database);

// It would migrate the database, as far as is known: irreversible. Not of the first that ever runs.
bool IsNewToDatabase(const v1::DatabaseMemory& database, const std::string& version);

// Why no Connect of this version may be started: it is older than one that may have migrated the
// database, and the database does not say that nothing was. `fix` says what to do. "": it may.
std::string WhyNotVersion(const Situation& situation, const v1::DatabaseMemory& database,
                          const std::string& version, std::string& fix);

// A node is about to be told to start this version: as it is to be remembered before.
void NoteStart(const Situation& situation, const std::string& version,
               v1::DatabaseMemory& database);

}  // namespace connect_ha
