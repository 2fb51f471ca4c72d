// Changes of the cluster in words: what a generation asks for, how far it is, how it ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "common/time.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cli/text/live_lines.h"

namespace connect_ha {

// "together", "in place"; "-" where it is not known.
std::string RolloutKindName(v1::Rollout::Kind kind);
// "staging"
std::string PhaseName(v1::RolloutStatus::Phase phase);
// "getting ready"
std::string StepName(v1::RolloutStep::Step step);

// A change is to come, under way, or was given up: not where the newest generation is in force.
bool IsChange(const v1::RolloutStatus& rollout);
// It does not go on unless a person does something: halted, refused, aborted.
bool IsStopped(const v1::RolloutStatus& rollout);
// The one to come, where there is one beside the one that is under way.
const v1::RolloutStatus& NewestOf(const v1::RolloutStatus& rollout);
// It waits for a person's approval, and nobody has given it.
bool AwaitsApproval(const v1::GetPlanResponse& plan, const v1::RolloutStatus& change);
// "connect-ha approve 8 --reason TEXT"
std::string ApproveCommand(uint64_t generation);

// "generation 8, together: stopping, for 2m, about 4m left; connect-ha rollout status", "...:
// first, HALTED: node-1: ...". "" where there is no change.
Cell RolloutCell(const v1::RolloutStatus& rollout, Time now);
// The same without what only passes, and of the one to come beside it.
std::string RolloutKey(const v1::RolloutStatus& rollout);
// The same for one node: "draining, draining, for 40s, about 4m left; waits for: its users"; its
// state comes first.
Cell StepCell(const v1::RolloutStep& step, Time now);
// Without how long it still takes, or nodes were out, which is another with each decision.
v1::RolloutStatus WithoutEstimates(v1::RolloutStatus rollout);
// A line of the change, one of who let it, one for each node, and one of the change to come beside.
std::vector<LiveLine> RolloutLines(const v1::RolloutStatus& rollout, Time now);

// RolloutCell on lines of its own, and that of the one to come; nothing where there is no change.
void PrintRolloutLine(Terminal& terminal, const v1::RolloutStatus& rollout, Time now);
// What holds it up or went wrong, and what to type; nothing where it goes on.
void PrintRolloutReason(Terminal& terminal, const v1::RolloutStatus& rollout);
// A screen: where the change is, who approved it, a row for each node, and the one to come.
void PrintRollout(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan,
                  Time now);

}  // namespace connect_ha
