// How far a node is with the generation in force.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// It has taken this generation, of this store; its agent has looked at all of it.
bool HoldsGeneration(const v1::PlanInput& input, const v1::PlanNode& node);
bool SpeaksOfGeneration(const v1::PlanInput& input, const v1::PlanNode& node);
// Both, and every resource is as it says.
bool HasConverged(const v1::PlanInput& input, const v1::PlanNode& node);
// The same; while an agent that was started again has not looked at everything, what was right is.
bool IsReady(const v1::PlanInput& input, const v1::PlanNode& node);

// The first of what differs for which Connect would have to rest; null: none.
const v1::Change* FirstThatInterrupts(const v1::Convergence& convergence);

// What runs there, or would; "": not known, or none.
const std::string& VersionOf(const v1::PlanNode& node);

}  // namespace connect_ha
