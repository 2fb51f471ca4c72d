#include "coordinator/plan/record/begun.h"

#include <algorithm>

#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/next/begin.h"

namespace connect_ha {
namespace {

v1::Change::Needs StagedNeeds(const Situation& situation, const v1::PlanNode& node) {
  if (!SpeaksOfNext(situation.input, node)) return v1::Change::RESTART;
  return GreatestNeeds(node.staged().needs(), node.staged().changes());
}

// The members as a change begins; at_once: nothing of it was looked at, and what is only observed
// stays so.
void ListNodes(const Situation& situation, bool at_once, v1::Rollout& rollout) {
  for (const Member& member : situation.members) {
    v1::RolloutNode& node = *rollout.add_nodes();
    node.set_node(member.name());
    const bool is_left = at_once && member.position == v1::OBSERVED;
    const bool differs = rollout.kind() == v1::Rollout::TOGETHER ||
                         StagedNeeds(situation, *member.node) >= v1::Change::RESTART;
    node.set_to_change(!is_left && differs);
  }
  std::sort(rollout.mutable_nodes()->begin(), rollout.mutable_nodes()->end(),
            [](const v1::RolloutNode& a, const v1::RolloutNode& b) { return a.node() < b.node(); });
}

}  // namespace

v1::Rollout Begun(const Situation& situation, const Change& change) {
  const v1::PlanInput& input = situation.input;
  const bool at_once = BeginsAtOnce(situation, change.next);
  const bool together = !at_once && change.next.kind == v1::Rollout::TOGETHER;
  const bool rolling = !at_once && change.next.kind == v1::Rollout::ROLLING;
  v1::Rollout rollout;
  rollout.set_generation(input.next().generation());
  rollout.set_from(input.generation());
  rollout.set_kind(together  ? v1::Rollout::TOGETHER
                   : rolling ? v1::Rollout::ROLLING
                             : v1::Rollout::IN_PLACE);
  rollout.set_applied_by(input.next().applied_by());
  rollout.set_approved_by(change.approved_by);
  *rollout.mutable_began_at() = ToProto(situation.moments.now());
  if (!together) *rollout.mutable_in_force_at() = rollout.began_at();
  ListNodes(situation, at_once, rollout);
  return rollout;
}

}  // namespace connect_ha
