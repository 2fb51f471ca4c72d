#include "coordinator/plan/record/begun.h"

#include "coordinator/plan/next/begin.h"
#include "coordinator/plan/record/accounts.h"

namespace connect_ha {

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
