// What of the checklist acts. Only causes do, and only a failing; only where it is known which node
// is the wrong one, and the failing has lasted long enough.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// What judges a Connect that runs: not asked of one that is yet to be started.
inline constexpr char kServiceRule[] = "service-is-healthy";
// What is put right while Connect runs, once the node may be changed; as the unit is enabled.
inline constexpr char kGuardRule[] = "boot-is-guarded";

// Null: nothing is said of it.
const v1::NodeRule* LineOf(const v1::PlanNode& node, const std::string& rule);
bool Holds(const v1::NodeRule& line);  // it passes, or has nothing to pass
// It fails, and not by what only tells (common/checklist/lesser_faults.h): what only advises by the
// table does what the specification says.
bool Fails(const v1::NodeRule& line);
// It holds, or fails by what only tells: what the rule does, it does for neither.
bool DoesNothing(const v1::NodeRule& line);

// Of the rules that fail on the node and do more than to tell; sorted by rule. None where it stays:
// what is known of it may be old.
std::vector<v1::Hazard> HazardsOf(Situation& situation, const Member& member);
// It acts; or it would, if the load balancer did not ask Connect itself: whoever is stopped does
// not enter service again by it.
bool KeepsFromEntering(const Situation& situation, const Member& member, const v1::Hazard& hazard);

// It was brought to the generation a moment ago: what was asked or judged before that says that it
// is still to be made.
bool IsJustMade(const Situation& situation, const Member& member);

// It was taken out since Connect did not run as it should, and for nothing else.
bool IsOutForServiceAlone(const Member& member);

// For what it was taken out of service the node may come back: the rule has held long enough, or
// does nothing any more.
bool IsOver(Situation& situation, const Member& member, const std::string& rule);

}  // namespace connect_ha
