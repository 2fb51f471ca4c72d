// A checklist for people, and the exit code that goes with it. Both programs print it.
#pragma once

#include <string>

#include "common/command_line.h"
#include "common/text_table.h"
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

// The table in the checklist's order; below a finding that does not pass its summary, the first
// of its evidence and its fix. "since" is counted back from `now`.
void PrintChecklist(Terminal& terminal, const v1::Checklist& checklist, Time now);
// What does not pass of one finding, as in the checklist: no more than `most` lines of evidence.
void PrintFindingDetails(Terminal& terminal, const v1::Finding& finding, Time now, int indent,
                         size_t most);
// "21 pass, 2 fail, 1 unknown, 3 do not apply".
std::string CountOutcomes(const v1::Checklist& checklist);

}  // namespace connect_ha
