#include "coordinator/plan/record/steps.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

using v1::RolloutStep;

RolloutStep::Step BeforeItBegins(const v1::PlanInput& input, const v1::PlanNode& node) {
  const bool ready = SpeaksOfNext(input, node) && node.staged().ready();
  return ready ? RolloutStep::WAITING : RolloutStep::GETTING_READY;
}

RolloutStep::Step OfServing(const Situation& situation, const Member& member,
                            const v1::NodeAssignment& given, bool in_force) {
  if (given.closed()) {
    if (!member.node->start_failed().empty()) return RolloutStep::FAILED;
    return member.node->brief().facts().answers() ? RolloutStep::VERIFYING : RolloutStep::STARTING;
  }
  // What it is now is the generation before.
  if (!in_force) return RolloutStep::WAITING;
  if (HasConverged(situation.input, *member.node)) return RolloutStep::CHANGED;
  if (IsStuck(situation.input, *member.node)) return RolloutStep::FAILED;
  return NeedsOf(situation, member) >= v1::Change::RESTART ? RolloutStep::WAITING
                                                           : RolloutStep::CHANGING;
}

RolloutStep::Step StepOf(const Situation& situation, const Member& member,
                         const v1::NodeAssignment& given, const v1::Rollout& rollout) {
  const v1::PlanInput& input = situation.input;
  if (!member.node->fresh() || IsGone(member)) return RolloutStep::ABSENT;
  if (rollout.generation() == 0) return BeforeItBegins(input, *member.node);
  const bool in_force = rollout.generation() == input.generation();
  const bool converged = in_force && HasConverged(input, *member.node);
  switch (given.state()) {
    case v1::DRAINING:
      return RolloutStep::DRAINING;
    case v1::STOPPED: {
      const bool failed = member.memory.start_failed() == input.generation() ||
                          !member.node->start_failed().empty();
      return failed && !IsStopping(rollout) ? RolloutStep::FAILED : RolloutStep::HELD;
    }
    case v1::FENCED:
      return RolloutStep::HELD;
    case v1::PREPARING:
      return IsStuck(input, *member.node) ? RolloutStep::FAILED : RolloutStep::CHANGING;
    case v1::READY:
      if (converged && IsHeldByPerson(member)) return RolloutStep::CHANGED;
      return converged ? RolloutStep::STARTING : RolloutStep::CHANGING;
    case v1::SERVING:
      return OfServing(situation, member, given, in_force);
    default:
      if (member.may == May::kObserve || converged) return RolloutStep::CHANGED;
      return RolloutStep::WAITING;
  }
}

// Of what is changed under it, and does not go on, what its agent meets with.
std::string WaitsFor(const Member& member, const v1::NodeAssignment& given,
                     RolloutStep::Step step) {
  if (!given.waits_for().empty()) return given.waits_for();
  if (!member.stays.empty()) return member.stays;
  const auto& troubles = member.node->convergence().troubles();
  const bool is_at_it = step == RolloutStep::CHANGING || step == RolloutStep::FAILED;
  if (!is_at_it || troubles.empty()) return "";
  return absl::StrCat(troubles.begin()->resource(), ": ", troubles.begin()->error());
}

// What it was before the change says nothing of its step.
void SetSince(const Situation& situation, const v1::NodeAssignment& given,
              const v1::Rollout& rollout, RolloutStep& step) {
  if (!given.has_since()) return;
  const auto& began =
      rollout.generation() == 0 ? situation.input.next().applied_at() : rollout.began_at();
  *step.mutable_since() = ToProto(std::max(FromProto(given.since()), FromProto(began)));
}

// A start lasts until the gate opens.
std::optional<std::chrono::microseconds> TakesStep(const Situation& situation,
                                                   const v1::Rollout& rollout,
                                                   const RolloutStep& step) {
  const bool starts = step.step() == RolloutStep::STARTING || step.step() == RolloutStep::VERIFYING;
  return starts ? StartTakes(situation, rollout.kind(), step.node() == rollout.first())
                : SpanOf(situation, rollout.kind(), step.step());
}

void SetLeft(const Situation& situation, const v1::Rollout& rollout, RolloutStep& step) {
  const auto span = TakesStep(situation, rollout, step);
  if (!span || rollout.generation() == 0 || !step.has_since()) return;
  const auto gone = situation.moments.now() - FromProto(step.since());
  step.set_left_us(std::max<int64_t>(0, (*span - gone).count()));
}

}  // namespace

void AddSteps(Situation& situation, const v1::Decision& decision, const v1::Rollout& rollout,
              v1::RolloutStatus& status) {
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    const v1::NodeAssignment& given = decision.assignments(static_cast<int>(i));
    RolloutStep& step = *status.add_nodes();
    step.set_node(member.name());
    step.set_step(StepOf(situation, member, given, rollout));
    step.set_state(given.state());
    step.set_closed(given.closed());
    step.set_reported_state(member.node->brief().reported_state());
    SetSince(situation, given, rollout, step);
    step.set_waits_for(WaitsFor(member, given, step.step()));
    SetLeft(situation, rollout, step);
  }
  std::sort(status.mutable_nodes()->begin(), status.mutable_nodes()->end(),
            [](const RolloutStep& a, const RolloutStep& b) { return a.node() < b.node(); });
}

}  // namespace connect_ha
