// The newest generation beside the one in force, in a cluster as the plan sees it.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {

constexpr uint64_t kNext = kGeneration + 1;

// The same specification once more: every node is ready for it, and has nothing to change.
v1::NextSpec& Propose(PlanCluster& cluster);
// Connect of another version than the one that runs.
void ProposeVersion(PlanCluster& cluster, const std::string& version);
// Node i would make this change for it.
v1::Change& WouldChange(PlanCluster& cluster, int i, const std::string& resource,
                        v1::Change::Needs needs);
// The maintenance window, in minutes from now.
void SetWindow(PlanCluster& cluster, int opens, int closes);

}  // namespace connect_ha
