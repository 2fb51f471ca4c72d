// Which version of Connect may be started against the database.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// What is remembered, and what nodes say that they have started, run or serve by since
// (PlanNode.newest_start, running_version), but for what was before the database was put back
// (Word.RESTORED).
v1::DatabaseMemory DatabaseNow(const Situation& situation);

// The database says that nothing was migrated since what ran before the newest.
bool IsAsBefore(const Situation& situation, const v1::DatabaseMemory& database);

// It would migrate the database, as far as is known: irreversible. Also where it was started before
// and was never right: it may have ended before it migrated anything; and where the database says
// that Connect has migrated it, and nothing is known of that. Not of the first that ever runs.
bool IsNewToDatabase(const Situation& situation, const v1::DatabaseMemory& database,
                     const std::string& version);
// Of one that is new: "is newer than 2024.08.0, the newest that this database has known".
std::string WhyNewToDatabase(const v1::DatabaseMemory& database, const std::string& version);

// Why no Connect of this version may be started: it is older than one that may have migrated the
// database, and the database does not say that nothing was. `fix` says what to do. "": it may.
std::string WhyNotVersion(const Situation& situation, const v1::DatabaseMemory& database,
                          const std::string& version, std::string& fix);

// A version older than the newest was started since that had migrated nothing, and has answered: as
// the database is now, that one may start again.
void NoteFits(const Situation& situation, v1::DatabaseMemory& database);

// It is right with the database.
void NoteRight(const std::string& version, v1::DatabaseMemory& database);

// A node is about to be told to start this version: as it is to be remembered before.
void NoteStart(const Situation& situation, const std::string& version,
               v1::DatabaseMemory& database);

}  // namespace connect_ha
