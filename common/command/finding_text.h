// One finding for people: who says what, and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// So many lines are shown of a finding's evidence and steps, and where it is shown in full.
inline constexpr size_t kMostEvidence = 6;
inline constexpr size_t kMostSteps = 12;
inline constexpr size_t kMostEvidenceInFull = 100;

// The nodes that say the same of a rule.
struct Said {
  std::vector<std::string> nodes;  // empty: the cluster
  std::string text;
};

// What does not pass, once for all nodes that say the same. Where no node says it: the summary.
std::vector<Said> WhatIsWrong(const v1::Finding& finding, Time now);
// "for 45s", "for 5s, FAIL before"; "" where since when is not known.
std::string HowLong(const v1::Finding& finding, Time now);
// "node-1", "node-1, node-2 and 7 more", "cluster".
std::string WhoSays(const Said& said);

// What does not pass, and what to do, below a heading; at most kMostEvidence lines and about
// kMostSteps. `in_full`: what to type to see the rest.
void PrintDetails(Terminal& terminal, const v1::Finding& finding, Time now, int indent,
                  const std::string& in_full);
// All of it, each node by itself: its outcome, what that rests on, and since when.
void PrintInFull(Terminal& terminal, const v1::Finding& finding, Time now,
                 const std::string& in_full);

}  // namespace connect_ha
