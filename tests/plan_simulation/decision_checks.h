// What must hold of the plan as a function, whatever the world does.
#pragma once

#include <functional>
#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha::simulation {

using Plan = std::function<v1::Decision(const v1::PlanInput&)>;

// Each "" where it holds. `decision` is what the plan made of the input.

// Asked again it says the same.
std::string CheckSame(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision);
// Once it is stored, what is decided is decided: nothing is given anew.
std::string CheckSettled(const Plan& plan, const v1::PlanInput& input,
                         const v1::Decision& decision);
// Until it wants to be asked again, or for an hour where it never does, time alone changes nothing.
std::string CheckWake(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision);
// With other names, in another order, it is the same with those names, in that order: what nodes
// are told, and what is remembered and shown of the change, by which they are moved later.
std::string CheckRenamed(const Plan& plan, const v1::PlanInput& input,
                         const v1::Decision& decision);
// Where one node's facts, or its rules, are not known any more it stays as it is, or goes where it
// would have gone.
std::string CheckUnknown(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision,
                         int node);
// Cheap, and made of every decision: nothing is moved that is not known, and nothing at all before
// every live node was heard.
std::string CheckMoves(const v1::PlanInput& input, const v1::Decision& decision);

}  // namespace connect_ha::simulation
