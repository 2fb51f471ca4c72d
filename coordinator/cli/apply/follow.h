// Follows the nodes until they are as a specification says, and serve.
#pragma once

#include <chrono>
#include <string>

#include "common/command/command_line.h"
#include "coordinator/cli/environment.h"

namespace connect_ha {

// A line for each node: redrawn on a terminal, elsewhere written when something changed. While a
// change of the cluster is under way that is not made in place, they say where each node is in it;
// that ends it (kFails) where it waits for an approval that nobody gave, is halted, refused or
// aborted. Else it ends when every node is as the generation says and, where that is enforced,
// serves or is where a person holds it (kHolds), is stuck, fenced, or differs and is left so
// (kFails; its trouble, fix and log are printed), or is not heard for half a minute (kUnknown);
// after `limit` (kUnknown); or when a newer generation came (kFails). A coordinator that goes away
// is awaited.
int FollowConvergence(const Environment& environment, const Arguments& arguments,
                      Terminal& terminal, uint64_t generation, std::chrono::seconds limit);

}  // namespace connect_ha
