#include "coordinator/plan/record/done.h"

#include <algorithm>

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {

bool IsDoneOn(const Situation& situation, const v1::RolloutNode& node) {
  const Member* member = FindMember(situation, node.node());
  if (member == nullptr || IsGone(*member) || member->node->brief().lost() ||
      !member->node->brief().has_last_seen()) {
    return true;
  }
  if (!member->stays.empty()) return member->left_alone && !situation.restored_at;
  if (member->may == May::kObserve || IsLeftOut(*member)) return true;
  const bool converged = HasConverged(situation.input, *member->node);
  // Nothing is changed under a Connect that may not be stopped.
  if (member->may != May::kServe) return converged || member->position == v1::OBSERVED;
  if (member->position == v1::OBSERVED && !node.to_change()) return true;
  // What has drifted since is no part of it.
  return (converged || IsDrift(situation, *member)) && member->serves;
}

bool IsDone(const Situation& situation, const v1::Rollout& rollout) {
  // By an older copy of the store: what was in force after it is held.
  const bool was_over = std::any_of(
      situation.members.begin(), situation.members.end(),
      [&situation](const Member& member) { return HoldsNewer(situation.input, *member.node); });
  if (was_over) return !situation.restored_at;
  if (rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_opened_at()) return false;
  const auto& nodes = rollout.nodes();
  const bool is_anybody_there =
      nodes.empty() || std::any_of(situation.members.begin(), situation.members.end(),
                                   [](const Member& member) { return member.stays.empty(); });
  return is_anybody_there &&
         std::all_of(nodes.begin(), nodes.end(), [&situation](const v1::RolloutNode& node) {
           return IsDoneOn(situation, node);
         });
}

bool LeavesAnybody(const Situation& situation, const v1::Rollout& rollout) {
  if (rollout.kind() == v1::Rollout::IN_PLACE) return false;
  const auto& nodes = rollout.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](const v1::RolloutNode& node) {
    const Member* member = FindMember(situation, node.node());
    return member != nullptr && !IsGone(*member) && member->may != May::kObserve &&
           member->position != v1::OBSERVED && member->memory.reached() < rollout.generation();
  });
}

}  // namespace connect_ha
