// Words for a node's state, shared by `status` and `nodes`.
#pragma once

#include <string>
#include <vector>

#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// Whether the node was heard within the specification's limit before the snapshot was taken.
bool IsLive(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);
// "observed", or "observed -> serving" where the two differ; and where agent.yaml there allows no
// more than that: "observed (allows no more)".
std::string StateText(v1::NodeState assigned, v1::NodeState reported, v1::Allow allow);
std::string StateText(const v1::NodeSnapshot& node);
// The same; and where Connect runs behind a gate that is kept closed: "ready -> serving (closed)".
std::string StateText(const v1::NodeAssignment& told, v1::NodeState reported);
// "2s ago", "never"; doubtful when not live.
Cell SeenCell(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);
// "+1.2 ms ± 0.3 ms"; "-" when not measured.
std::string ClockText(const v1::NodeSnapshot& node);
// One line for each machine under the node's name, when there is more than one.
std::vector<std::string> ConflictLines(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);

}  // namespace connect_ha
