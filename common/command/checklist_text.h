// A checklist for people, and the exit code that goes with it. Both programs print it.
#pragma once

#include <cstddef>
#include <string>

#include "common/command/command_line.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// "pass", "FAIL", "unknown", "n/a".
Cell OutcomeCell(v1::Outcome outcome);
// "data", "service", "advice".
std::string ClassName(v1::RuleClass rule_class);

// Whether a finding of this class decides the exit code: advice does only when `strict`.
bool Decides(const v1::Finding& finding, bool strict);
// kHolds, kFails or kUnknown: a failure beats an unknown.
int ChecklistExitCode(const v1::Checklist& checklist, bool strict);

// So many lines of evidence are shown of a finding, and where it is shown in full.
inline constexpr size_t kMostEvidence = 6;
inline constexpr size_t kMostEvidenceInFull = 100;

inline constexpr char kMoreOfARule[] = "connect-ha checklist --rule RULE";

// The table in the checklist's order; below a finding that does not pass its details, or "as above"
// where the one before it that does not pass has the same. `more`: what to type to see evidence
// that is not shown; RULE in it becomes the rule.
void PrintChecklist(Terminal& terminal, const v1::Checklist& checklist, Time now,
                    const std::string& more = kMoreOfARule);
// Its summary, evidence and fix. Without `all_evidence` the evidence that the summary says is left
// out: all of it, with each node named. At most kMostEvidence lines (kMostEvidenceInFull with
// `all_evidence`) are shown, what does not pass first. How long the outcome has stood is counted
// back from `now`.
void PrintFindingDetails(Terminal& terminal, const v1::Finding& finding, Time now, int indent,
                         bool all_evidence, const std::string& more = kMoreOfARule);
// "21 pass, 2 fail, 1 unknown, 3 not applicable".
std::string CountOutcomes(const v1::Checklist& checklist);

}  // namespace connect_ha
