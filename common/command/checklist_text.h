// A checklist for people. Both programs print it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/command/checklist_result.h"
#include "common/command/command_line.h"
#include "common/command/finding_text.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// How a checklist is shown.
struct ChecklistView {
  Time now;                        // how long something has been so is counted back from here
  std::vector<std::string> about;  // what the first line begins with: "cluster lab", ...
  // What to type to see one rule in full; RULE in it becomes the rule.
  std::string in_full = "connect-ha checklist --rule RULE";
  // What to type to see the whole table.
  std::string all = "connect-ha checklist --all";
  // By rule: where it does nothing, until when, who said so, and why.
  std::multimap<std::string, std::string> waived = {};
};

// What to act on, the most urgent first: each cause with what is known of it, what to do, and how
// many items follow from it; what passes is only counted.
void PrintChecklist(Terminal& terminal, const v1::Checklist& checklist, const ChecklistView& view);
// Every item, in groups; below one that fails or is unknown its details, or "as above" where the
// one before it that does so has the same.
void PrintWholeChecklist(Terminal& terminal, const v1::Checklist& checklist,
                         const ChecklistView& view);
// One item, with each node's evidence.
void PrintOneFinding(Terminal& terminal, const v1::Finding& finding, const ChecklistView& view);

// "3 nodes, 2 serving"; "" where it is not known.
std::string NodesAndServing(const v1::Checklist& checklist);
// "judged 2s ago"
std::string JudgedAgo(const v1::Checklist& checklist, Time now);

}  // namespace connect_ha
