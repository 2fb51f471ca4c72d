// Runtimes that the newest generation adds: content that needs one may land on any node that users
// are sent to, so every such node has them before that generation is in force.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// It names a version of R, Python or Quarto that the one in force does not.
bool AddsRuntimes(const v1::PlanInput& input);

// The node may go on serving users without them, since nothing is known of it now: why, and what
// to type where its machine is no more. "": nobody is waited for there.
std::string WhyItMayLackThem(const Member& member);

}  // namespace connect_ha
