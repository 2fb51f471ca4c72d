// Whose facts still count.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// The node was heard once, but not within limits.stale_after.
bool IsStale(const v1::Snapshot& cluster, const v1::NodeSnapshot& node);

// The machines that speak under the node's name and were heard within limits.stale_after, each
// by the beginnings of its machine id and boot id, and its address.
std::vector<std::string> LiveClaimants(const v1::Snapshot& cluster, const v1::NodeSnapshot& node);

// Why the node's facts are not there, or too old: "not heard for 3m 10s (limit 30s)".
std::optional<std::string> WhyNotHeard(const v1::Snapshot& cluster, const v1::NodeSnapshot& node);

// Why nothing that is held of this node counts: WhyNotHeard, or its name is several machines'.
std::optional<std::string> WhyNotCounted(const v1::Snapshot& cluster, const v1::NodeSnapshot& node);

}  // namespace connect_ha
