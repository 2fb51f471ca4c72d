// Changes of the cluster, as `connect-ha history` has them.
#pragma once

#include <cstddef>
#include <vector>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// Newest first, no more than `limit`: what is under way, then what has ended. `before` and `after`:
// what was under way before `ended` was read, and after that; generation 0: nothing. Between them
// it may have ended: then it is in `ended`. What goes on again, where what took its place was given
// up, is there, too, and has not ended.
std::vector<v1::Rollout> ListedRollouts(const v1::Rollout& before, std::vector<v1::Rollout> ended,
                                        const v1::Rollout& after, size_t limit);

}  // namespace connect_ha
