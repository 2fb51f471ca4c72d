// A rule: a pure function of the cluster's snapshot, and one table row with the words that a
// person reads. No files, no clock, no network: generated messages in, a finding out.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

enum class Source { kHaGuide, kReferenceArchitecture, kAdminGuide, kOperations, kConnectHa };

// A rule that must hold for a node before another is judged there.
struct Need {
  const char* rule;
  // Enough that it does not fail: it may be unknown.
  bool unless_it_fails = false;
  // Only for nodes of which this is true; null: for all. What the other's failing explains there.
  bool (*where)(const v1::Facts& facts) = nullptr;
};

// What to do where a finding has nothing better: a command on each node that fails, or a note.
struct DefaultFix {
  const char* command;  // "" for none
  const char* note;     // "" for none
};

// What is left to another rule, which may stand below: judged once all others are, with the nodes
// on which that one fails.
struct Explanation {
  const char* by = nullptr;  // null: nothing
  v1::Finding (*judge)(const v1::Snapshot& cluster, const std::set<std::string>& nodes) = nullptr;
};

struct Rule {
  const char* id;     // the interface: output, JSON, waivers
  const char* title;  // "Nodes run in two or more availability zones"
  const char* group;  // that a person looks for it in: "storage"
  v1::RuleClass rule_class;
  // What its failing does on a node that is known to be the wrong one. Only a cause acts; whether
  // it does now is the plan's to say (coordinator/plan).
  v1::RuleAction action;
  Source source;
  const char* source_item;  // "HA 1", "RA", "OPS"
  DefaultFix fix;
  // What must hold of one node that is looked at alone, as `connect-ha-agent check` does: instead
  // of the title, since nothing is said of other nodes. "" where that is the title; null where one
  // node shows nothing.
  const char* on_one_node;
  // In the order in which they are looked at; all stand above this rule in the table. Where one
  // does not hold for a node, this rule is not judged there: it follows.
  std::vector<Need> needs;
  v1::Finding (*judge)(const v1::Snapshot& cluster);
  // It passes by what some of the nodes show, whatever is with the others: "two or more".
  bool some_suffice = false;
  // Instead of `judge`, where the rule that it names is judged, too.
  Explanation explained = {};
};

// The table, in the order it prints.
const std::vector<Rule>& Rules();
// Null when there is no such rule.
const Rule* FindRule(const std::string& id);

// Every rule over the snapshot, which is used up: move a large one in. A rule judges those nodes
// for which the rules that it needs hold; the others follow. All facts of a node that was not heard
// within limits.stale_after, or whose name several live machines have, count as unobserved. The
// order of the nodes does not matter. Findings carry no `since`.
v1::Checklist Evaluate(v1::Snapshot cluster);
// The same for a snapshot that stays where it is, as on an arena: its nodes are in order
// afterwards, and what may not be counted is taken out.
v1::Checklist EvaluateInPlace(v1::Snapshot& cluster);
// Only what one node alone can show; `cluster` holds that node, and the specification that it
// holds, if any. The words say nothing of other nodes; the fixes are for whoever is on this one,
// where there may be no coordinator. `full`: the probes that take longer have run too.
v1::Checklist EvaluateNode(v1::Snapshot cluster, bool full);

// Has every node look again.
inline constexpr char kRefresh[] = "connect-ha checklist --refresh";
// The command that has those probes run.
inline constexpr char kCheckInFull[] = "connect-ha-agent check --full";

}  // namespace connect_ha
