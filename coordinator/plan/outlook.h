// What a generation would ask of the cluster, for a person who is about to apply it.
#pragma once

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// `input` as of Decide; its `next` is the specification that is thought of (generation 0 where it
// has none yet), and each node's `staged` is what that node says that it would change. Pure.
v1::Outlook LookAhead(const v1::PlanInput& input);

}  // namespace connect_ha
