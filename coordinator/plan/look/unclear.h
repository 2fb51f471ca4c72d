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
// Why it is not known that this node is the wrong one, or not for long enough; "": it is.
std::string WhyNotSure(const Situation& situation, const Member& member, const v1::NodeRule& line);
// The nodes are compared with each other by what the generation in force changes, and go over to it
// one after the other (Situation.goes_over): that they differ by it holds nobody. Two versions of
// Connect that run against one database are another matter.
bool DiffersOnPurpose(const Situation& situation, const Member& member, const v1::NodeRule& line);

}  // namespace connect_ha
