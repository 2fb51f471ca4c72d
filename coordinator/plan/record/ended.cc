#include "coordinator/plan/record/ended.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/record/accounts.h"

namespace connect_ha {
namespace {

void AddRemarks(const Change& change, v1::Rollout& rollout) {
  std::vector<std::string> remarks;
  if (!rollout.remarks().empty()) remarks.push_back(rollout.remarks());
  for (const v1::RolloutNode& node : rollout.nodes()) {
    if (node.skipped()) remarks.push_back(absl::StrCat(node.node(), " was declared gone"));
  }
  if (!change.halted.empty()) remarks.push_back(change.halted);
  rollout.set_remarks(absl::StrJoin(remarks, "; "));
}

}  // namespace

void End(const Situation& situation, const Change& change, v1::Rollout::End end,
         v1::Rollout& rollout, v1::Decision& decision) {
  const Time now = situation.moments.now();
  if (end == v1::Rollout::DONE && rollout.kind() == v1::Rollout::IN_PLACE) {
    NoteSpan(rollout, v1::RolloutStep::CHANGING, now - FromProto(rollout.in_force_at()),
             *decision.mutable_remember());
  }
  *rollout.mutable_ended_at() = ToProto(now);
  rollout.set_end(end);
  AddRemarks(change, rollout);
  *decision.add_ended() = rollout;
}

}  // namespace connect_ha
