// What a checklist comes to: words for its outcomes, and the exit code.
#pragma once

#include <string>

#include "common/command/command_line.h"
#include "common/command/text_table.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// PASS or NOT_APPLICABLE.
bool IsRight(v1::Outcome outcome);
// "pass", "FAIL", "unknown", "n/a", "follows".
Cell OutcomeCell(v1::Outcome outcome);
// "data", "service", "advice".
std::string ClassName(v1::RuleClass rule_class);

// Whether a finding of this class decides the exit code: advice does only when `strict`.
bool Decides(const v1::Finding& finding, bool strict);
// As what a finding counts where `shown` is all that is shown of `whole`. What follows counts as
// PASS beside its cause, which counts for it; where the cause is not shown, or is but advice, it
// counts as the cause does: FAIL, or UNKNOWN, also where nothing is known of it.
v1::Outcome OutcomeThatCounts(const v1::Finding& finding, const v1::Checklist& shown,
                              const v1::Checklist& whole, bool strict);
// kHolds, kFails or kUnknown: a failure beats an unknown.
int ChecklistExitCode(const v1::Checklist& shown, const v1::Checklist& whole, bool strict);

}  // namespace connect_ha
