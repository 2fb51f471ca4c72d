// A specification that nobody applied, as the plan would look at it.
#pragma once

#include <map>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// What the plan looked at last, with the draft as what comes next, and what each node says that it
// would change for it (by node) as what it has got ready for; of the others that is not known.
v1::PlanInput WithDraft(const v1::PlanInput& latest, const v1::Desired& draft,
                        const std::map<std::string, v1::Preview>& previews, Time now);

}  // namespace connect_ha
