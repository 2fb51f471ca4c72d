// Whether the newest generation may be begun, as far as the nodes go.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// It is put into force without another look: nothing is in force, one of the two does not enforce,
// or no Connect runs anywhere and it starts none that is new to the database (database.h). Never
// one that is refused, nor while the store is known to be an older copy.
bool BeginsAtOnce(const Situation& situation, const NextKind& next);

// Every live member is ready (Ahead.ready); who is lost, stale or left alone is not waited for, but
// where a runtime is added and it may serve users.
std::string WhyNotStaged(const Situation& situation);
// The same; of one that is lost, only what stops all waits.
// TOGETHER also: every member may be stopped by us, is heard and fresh or declared gone; no rule
// that holds fails; the database answers and is writable.
std::string WhyNotReady(const Situation& situation, const NextKind& next);

// Its database does not answer there, or is none to write to, whatever is done where that fails;
// where its Connect may run, also that it is not known. "": neither.
std::string WhyNoDatabase(const Situation& situation, const Member& member);

}  // namespace connect_ha
