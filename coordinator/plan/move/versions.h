// Two versions of Connect never run against one database.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Why the node's Connect is not to be started beside those that run, or may; "": nothing is known
// against it.
std::string WhyVersionsDiffer(const Situation& situation, const Member& member);

}  // namespace connect_ha
