// What nodes show only where they were asked to prove it (ClusterSpec.prove), and may.
#pragma once

#include "common/checklist/verdict.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// True, and the node unknown with what would change that, where it writes nothing to shared
// storage.
bool ProvesNoStorage(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, Verdict& verdict);

}  // namespace connect_ha
