// What a decision notes of a change: what the database has known, how the backup ended, that who
// goes first is right, by whom it is approved. Each is true where it added something that moves
// nodes.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/first_start.h"

namespace connect_ha {

// Ends the words by which the database was put back.
bool NoteDatabase(Situation& situation, const Change& change, v1::PlanMemory& remember);
// Also has it run (Decision.back_up).
bool NoteBackup(const Situation& situation, const BackupLook& backup, v1::Decision& decision);
// Of one whose first node is changed alone: that one is right, or another one has to go first.
bool NoteVerified(Situation& situation, const Change& change, v1::PlanMemory& remember);
// Said after it was put into force: where that needed no word, and something of it does.
bool NoteApproval(const Situation& situation, const Change& change, v1::PlanMemory& remember);
// A version that nobody approved yet, and that a node is ready to start; of several the oldest. The
// nodes of `remember` are filled in. "": there is none.
std::string OldestToApprove(Situation& situation, const v1::PlanMemory& remember);
// That is approved, and backed up before. It ends the words for it: the next version takes others.
bool NoteFirstStart(Situation& situation, const std::string& version, const FirstStart& start,
                    v1::PlanMemory& remember);
// Said once the change was done, for what differed since: it ends with that, or the next time fewer
// than minimum_serving would be left, too.
void EndApproval(Situation& situation, const Change& change);

}  // namespace connect_ha
