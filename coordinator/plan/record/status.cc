#include "coordinator/plan/record/status.h"

#include <algorithm>

#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/next/outlook_of.h"
#include "coordinator/plan/record/estimate.h"
#include "coordinator/plan/record/standing.h"
#include "coordinator/plan/record/steps.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

RolloutStatus::Phase PhaseOf(const v1::Rollout& rollout, bool aborted) {
  if (rollout.end() == v1::Rollout::DONE) return RolloutStatus::DONE;
  if (aborted || rollout.end() == v1::Rollout::ABORTED) return RolloutStatus::ABORTED;
  switch (rollout.kind()) {
    case v1::Rollout::TOGETHER:
      if (!rollout.has_in_force_at()) return RolloutStatus::STOPPING;
      return rollout.has_verified_at() ? RolloutStatus::REST : RolloutStatus::FIRST;
    case v1::Rollout::ROLLING:
      return RolloutStatus::ROLLING;
    default:
      return RolloutStatus::IN_PLACE;
  }
}

int NodesLeft(const RolloutStatus& status) {
  return static_cast<int>(
      std::count_if(status.nodes().begin(), status.nodes().end(), [](const v1::RolloutStep& step) {
        return step.step() != v1::RolloutStep::CHANGED && step.step() != v1::RolloutStep::ABSENT;
      }));
}

// Of one that goes from node to node by who is left; else what has passed of it is taken off.
void SetLeft(const Situation& situation, const v1::Rollout& rollout, RolloutStatus& status) {
  const bool verified = rollout.has_verified_at();
  const int nodes = NodesLeft(status);
  auto left =
      verified && nodes > 0 ? RestTakes(situation) : Takes(situation, rollout.kind(), nodes);
  if (!left) return;
  if (rollout.kind() != v1::Rollout::ROLLING) {
    const bool drained = rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at();
    if (drained && !verified && nodes > 0) *left -= DrainTimeout(situation.input.spec());
    const auto& since = verified  ? rollout.verified_at()
                        : drained ? rollout.in_force_at()
                                  : rollout.began_at();
    *left -= situation.moments.now() - FromProto(since);
  }
  status.set_left_us(std::max<int64_t>(0, left->count()));
}

RolloutStatus OfRollout(Situation& situation, const Change& change, const v1::Decision& decision) {
  const v1::Rollout& rollout = decision.remember().rollout();
  RolloutStatus status;
  const bool ended = rollout.has_ended_at();
  status.set_generation(rollout.generation());
  status.set_kind(rollout.kind());
  status.set_phase(PhaseOf(rollout, !ended && change.is_of(rollout) && change.aborted != nullptr));
  *status.mutable_since() = ended ? rollout.ended_at() : rollout.began_at();
  *status.mutable_begun() = rollout;
  AddSteps(situation, decision, rollout, status);
  if (ended) return status;
  StandUnderWay(situation, change, decision, status);
  SetLeft(situation, rollout, status);
  return status;
}

RolloutStatus OfNext(Situation& situation, const Change& change, const v1::Decision& decision) {
  const v1::NextSpec& next = situation.input.next();
  RolloutStatus status;
  status.set_generation(next.generation());
  status.set_kind(change.next.kind);
  *status.mutable_since() = next.applied_at();
  status.set_phase(change.next_phase);
  Stand(status, change.next_standing, change.next_waits, change.next_fixes);
  // It was stopping, and is forgotten; it stands where it stood before it was begun.
  if (change.next_phase == RolloutStatus::PHASE_UNSPECIFIED) {
    status.set_phase(RolloutStatus::AWAITING);
    if (situation.restored_at) {
      Stand(status, RolloutStatus::HALTED, kOlderStore, {kHowNodesMoveAgain});
    } else {
      Stand(status, RolloutStatus::WAITS, change.goes_back, {});
    }
  }
  const v1::Rollout& given_up = decision.remember().given_up();
  if (given_up.generation() == next.generation()) *status.mutable_begun() = given_up;
  *status.mutable_outlook() = OutlookOf(situation, change.next);
  if (status.outlook().has_takes_us()) status.set_left_us(status.outlook().takes_us());
  AddSteps(situation, decision, v1::Rollout(), status);
  return status;
}

}  // namespace

v1::RolloutStatus StatusOf(Situation& situation, const Change& change,
                           const v1::Decision& decision) {
  const v1::PlanInput& input = situation.input;
  const v1::Rollout& rollout = decision.remember().rollout();
  const bool is_under_way = rollout.generation() != 0 && !rollout.has_ended_at();
  const bool pending = input.has_next() && decision.remember().generation() == input.generation();
  if (is_under_way) {
    RolloutStatus status = OfRollout(situation, change, decision);
    if (pending && rollout.generation() != input.next().generation()) {
      *status.mutable_next() = OfNext(situation, change, decision);
    }
    return status;
  }
  if (pending) return OfNext(situation, change, decision);
  return rollout.generation() != 0 ? OfRollout(situation, change, decision) : RolloutStatus();
}

}  // namespace connect_ha
