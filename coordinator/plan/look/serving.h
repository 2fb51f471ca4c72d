// Who serves.
#pragma once

#include <cstddef>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Heard, fresh, answers, its gate open, and told to be what it reports. What is not known does not
// serve.
bool IsServing(const v1::PlanInput& input, const Member& member);
// Users cannot reach it, as it says itself. What is not known is not known to be out.
bool IsKnownOut(const v1::PlanInput& input, const Member& member);

// minimum_serving, and never none.
size_t MinimumServing(const v1::ClusterSpec& spec);

}  // namespace connect_ha
