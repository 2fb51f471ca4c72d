// Changes of a cluster, as the plan makes them: what is proposed, said and gone through.
#pragma once

#include <chrono>
#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "tests/coordinator/plan/next_spec.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {

constexpr char kOldVersion[] = "2024.08.0";
constexpr char kNewVersion[] = "2024.11.0";
constexpr char kConfigFile[] = "file /etc/rstudio-connect/rstudio-connect.gcfg";

// Every node has Connect's configuration to change.
PlanCluster ToBeRestarted(int nodes);
// Every node has Connect to change from kOldVersion to kNewVersion; nothing runs there for users.
PlanCluster ToBeUpgraded(int nodes);
// The same, and approved.
PlanCluster Approved(int nodes);
// One more generation, which changes that on every node.
void ProposeNext(PlanCluster& cluster, uint64_t generation, const std::string& resource,
                 v1::Change::Needs needs);
// One more, with this version of Connect.
void ProposeVersionNext(PlanCluster& cluster, uint64_t generation, const std::string& version);

v1::Word& ApproveIt(PlanCluster& cluster, uint64_t generation = kNext);
v1::Word& AbortIt(PlanCluster& cluster, uint64_t generation = kNext);

// An approved one, of which the first is told to start the newer version; it answers.
PlanCluster FirstStarts(int nodes);
// And does not answer yet.
PlanCluster FirstMigrates(int nodes);
void Answer(PlanCluster& cluster, int i);

// Step by step, ten seconds each, until it is in that phase; the decision that says so.
v1::Decision GoTo(PlanCluster& cluster, v1::RolloutStatus::Phase phase);
// For so long.
v1::Decision GoOn(PlanCluster& cluster, std::chrono::seconds span);
// Until node i is told that state.
v1::Decision GoUntil(PlanCluster& cluster, int i, v1::NodeState state);

// "serving, closed, stopped": what each node was told last, in their order.
std::string StatesOf(const v1::Decision& decision);
// What it was last, and what is known of node i: Connect was started, and ended.
void FailToStart(PlanCluster& cluster, int i, const std::string& why);
std::string FixesOf(const v1::Decision& decision);

}  // namespace connect_ha
