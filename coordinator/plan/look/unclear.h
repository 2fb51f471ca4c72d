// Whether it is known which node is the wrong one.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of the nodes that serve three or more are known to pass or to fail, and more than half pass.
bool IsAgainstMajority(const Situation& situation, const std::string& rule);
// It fails, and nothing tells that it is this node which is wrong.
bool IsUnclear(const Situation& situation, const Member& member, const v1::NodeRule& line);

}  // namespace connect_ha
