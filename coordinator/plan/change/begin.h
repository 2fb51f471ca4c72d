// Whether the newest generation may be begun: nodes, approval, window, backup.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/backup.h"
#include "coordinator/plan/change/kind.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It is put into force without another look: nothing is in force, one of the two does not enforce,
// or no Connect runs anywhere and it starts none that the database has not known. Never one that is
// refused, nor while the store is known to be an older copy.
bool BeginsAtOnce(const Situation& situation, const NextKind& next);

// Every live member is ready (Ahead.ready); who is lost, stale or left alone is not waited for.
std::string WhyNotStaged(const Situation& situation);
// The same; of one that is lost, only what stops all waits.
// TOGETHER also: every member may be stopped by us, is heard and fresh or declared gone; no rule
// that holds fails; the database answers and is writable.
std::string WhyNotReady(const Situation& situation, const NextKind& next);

// By whom it is approved, where it stops all nodes: a word, which waits for the maintenance window
// where there is one, but with `now`; the window alone. The window counts while it is open and what
// is left of it is long enough for what is to be expected. `why` says what it waits for where it is
// not approved; "" where it is, and where it takes none.
std::string ApprovedBy(Situation& situation, const NextKind& next, std::string& why);
// A change that stops all nodes, and has not stopped them, goes back into service: no longer
// approved, paused, aborted, or the window is over. "": it goes on.
std::string WhyGoBack(Situation& situation);

}  // namespace connect_ha
