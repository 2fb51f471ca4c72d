// What nodes show only where they were asked to prove it (ClusterSpec.prove), and may.
#pragma once

#include <string>

#include "common/checklist/fix.h"
#include "common/checklist/verdict.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

v1::Fix AskForStorageProof();
v1::Fix AskForDatabaseProof();
// Where agent.yaml lets its agent only look.
v1::Fix AllowProof(const std::string& node);

// True, and the node unknown with what would change that, where it writes nothing to shared
// storage.
bool ProvesNoStorage(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, Verdict& verdict);

}  // namespace connect_ha
