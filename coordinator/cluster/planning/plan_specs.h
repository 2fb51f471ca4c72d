// What the plan looks at of specifications. Pure, but for the time zones that the machine knows.
#pragma once

#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// As of PlanInput.spec.
v1::ClusterSpec PlanSpec(const v1::ClusterSpec& spec);
// The same of one that is not in force; `applied_by` is "" where nobody did.
v1::NextSpec PlanNext(const v1::Desired& desired, const std::string& applied_by);

// The maintenance window of the newest specification in the input, as of now. One that cannot be
// read, or never comes in the time to come, is there and never open: that there is none would be
// another thing.
void FillWindow(Time now, v1::PlanInput* input);

}  // namespace connect_ha
