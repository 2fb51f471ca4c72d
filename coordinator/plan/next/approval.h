// By whom it is approved that all nodes stop, and for how long that holds.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// The latest word of what is asked for (asked.h); of what is in force, said since it is: before
// that it was said of something else. Null: none.
const v1::Word* ApprovalOf(const Situation& situation);
// By whom it is approved, where it stops all nodes: a word, which waits for the maintenance window
// where there is one, but with `now`; the window alone. The window counts while it is open and what
// is left of it is long enough for what is to be expected. `why` says what it waits for where it is
// not approved; "" where it is, and where it takes none.
std::string ApprovedBy(Situation& situation, const NextKind& next, std::string& why);
// A change that stops all nodes, and has not stopped them, goes back into service: no longer
// approved, paused, aborted, or the window is over. "": it goes on.
std::string WhyGoBack(Situation& situation);

}  // namespace connect_ha
