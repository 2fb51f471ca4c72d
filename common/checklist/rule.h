// A rule: a pure function of the cluster's snapshot, and one table row with the words that a
// person reads. No files, no clock, no network: generated messages in, a finding out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

enum class Source { kHaGuide, kReferenceArchitecture, kAdminGuide, kOperations, kConnectHa };

struct Rule {
  const char* id;     // the interface: output, JSON, waivers
  const char* title;  // "Nodes run in two or more availability zones"
  v1::RuleClass rule_class;
  Source source;
  const char* source_item;  // "HA 1", "RA", "OPS"
  const char* fix;          // default fix; a finding may carry a better one
  // What must hold of one node that is looked at alone, as `connect-ha-agent check` does: instead
  // of the title, since nothing is said of other nodes. "" where that is the title; null where one
  // node shows nothing.
  const char* on_one_node;
  v1::Finding (*judge)(const v1::Snapshot& cluster);
};

// The table, in the order it prints.
const std::vector<Rule>& Rules();
// Null when there is no such rule.
const Rule* FindRule(const std::string& id);

// Every rule over the snapshot, which is used up: move a large one in. All facts of a node that
// was not heard within limits.stale_after, or whose name several live machines have, count as
// unobserved, with that as the reason. The order of the nodes does not matter. Findings carry no
// `since`.
v1::Checklist Evaluate(v1::Snapshot cluster);
// Only what one node alone can show; `cluster` holds that node, and the specification that it
// holds, if any. The words say nothing of other nodes; the fixes are for whoever is on this one,
// where there may be no coordinator. `full`: the probes that take longer have run too.
v1::Checklist EvaluateNode(v1::Snapshot cluster, bool full);

// The fix of what only those probes would show.
inline constexpr char kCheckInFull[] = "connect-ha-agent check --full";

}  // namespace connect_ha
