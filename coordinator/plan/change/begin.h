// Whether the newest generation may be begun: nodes, approval, window, backup.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/kind.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It is put into force without another look: nothing is in force, one of the two does not enforce,
// or no Connect runs anywhere and it starts none that the database has not known.
bool BeginsAtOnce(const Situation& situation, const NextKind& next);

// Every live member is ready (Ahead.ready); of one that is lost, only what stops all waits.
// TOGETHER also: every member may be stopped by us, is heard and fresh or declared gone; no rule
// that holds fails; the database answers and is writable.
std::string WhyNotReady(Situation& situation, const NextKind& next);

// By whom it is approved: a word; the maintenance window, while it is open and long enough for what
// is to be expected. `why` says what it waits for where it is not. "" also where it takes none.
std::string ApprovedBy(Situation& situation, const NextKind& next, std::string& why);
// A change that stops all nodes, and has not stopped them, goes back into service: no longer
// approved, paused, aborted, or the window is over. "": it goes on.
std::string WhyGoBack(Situation& situation);

// The command before a migration: what it is asked to have run as, where it is to run now.
// `why`: it runs, or failed (`failed`); a person's approval later than that has it tried again.
struct Backup {
  bool asked = false;
  v1::BackupRun run;
  std::string why;
  bool failed = false;
};
Backup BackupFor(const Situation& situation, const NextKind& next);

}  // namespace connect_ha
