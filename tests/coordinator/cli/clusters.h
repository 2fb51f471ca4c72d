// Clusters as the coordinator would judge them, for what the commands print.
#pragma once

#include "connect_ha/v1/checklist.pb.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {

// Three nodes that serve. That they share one database is not proved by what they report.
v1::Snapshot ThreeNodes();
v1::NodeSnapshot& NodeOf(v1::Snapshot& cluster, const std::string& name);

// What is wrong with a node.
void MountALocalDisk(v1::NodeSnapshot& node);
void BreakConfiguration(v1::NodeSnapshot& node);
void NeverReported(v1::NodeSnapshot& node);
void StopConnect(v1::NodeSnapshot& node);
void FillDisk(v1::NodeSnapshot& node);
void OpenConfiguration(v1::NodeSnapshot& node);  // mode 0644

// By every rule; all has been as it is for 45 seconds.
v1::Checklist JudgedChecklist(const v1::Snapshot& cluster);
// The commands see this cluster, judged so.
void Judged(World& world, const v1::Snapshot& cluster);
// Only one rule of it.
void JudgedBy(World& world, const v1::Snapshot& cluster, const std::string& rule);
// The same of a cluster in tests/clusters/RULE.
void JudgedOf(World& world, const std::string& rule, const std::string& file);
// Every rule passes.
void AllPass(World& world);

}  // namespace connect_ha
