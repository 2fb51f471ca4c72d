// What a rule's failing does.
#pragma once

#include <string>

#include "connect_ha/v1/spec.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Two versions against one database: it fences only where two run.
inline constexpr char kVersionRule[] = "connect-version-matches";

// What a failing of the rule does by table and specification. Of a rule that fences, no
// specification makes less.
v1::RuleAction ActionBySpec(const v1::ClusterSpec& spec, const std::string& rule);
// What it does on the node: by these, and by what people waived.
v1::RuleAction ActionOf(const Situation& situation, const Member& member, const std::string& rule);

}  // namespace connect_ha
