// What every node is to be: the only place where that is decided. Pure: what is known, what is
// remembered, what people said and what time it is go in; nothing is asked, kept or started here.
// The same input gives the same decision; other names or another order of the nodes give the same
// with those names, in that order.
//
// What is not known adds no action: it stops progress, and moves nobody. A node stays what it was
// told to be
//   while not every live node was heard since the coordinator started,
//   where its facts do not count, two machines speak under its name, or it is odd or ahead,
//   while the store is known to be an older copy of itself (PlanMemory.restored_at).
// Rules never take the last node that serves out of service, nor people but with `downtime`; one
// that was taken out while others served comes back while its Connect runs on, where no other
// serves any more. Of several that are to start while no Connect answers one starts first, and the
// gate of each is closed until it was looked at.
//
// A newer generation is gone to in the order that it asks for (change/change.h): what is decided of
// that is remembered first, and moves nodes with the next decision.
#pragma once

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// The caller stores `remember` before it publishes `assignments`, asks again when the input changes
// or at wake_at, and asks Broken (invariants.h) before it does either.
v1::Decision Decide(const v1::PlanInput& input);

}  // namespace connect_ha
