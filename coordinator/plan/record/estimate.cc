#include "coordinator/plan/record/estimate.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "coordinator/plan/look/notices.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

// What a node goes through once it is out of service. Unset: none of it was ever done.
std::optional<microseconds> OutOfService(const Situation& situation, v1::Rollout::Kind kind) {
  std::optional<microseconds> sum;
  for (const auto step :
       {v1::RolloutStep::CHANGING, v1::RolloutStep::STARTING, v1::RolloutStep::VERIFYING}) {
    const auto span = SpanOf(situation, kind, step);
    if (span) sum = sum.value_or(microseconds(0)) + *span;
  }
  return sum;
}

// Of the specification that it is done by: of a change that is not begun, the newest.
int AtOnce(const v1::PlanInput& input, int nodes) {
  const v1::ClusterSpec& spec = input.has_next() ? input.next().spec() : input.spec();
  const uint32_t most = spec.rollout().has_max_unavailable() ? spec.rollout().max_unavailable() : 1;
  return static_cast<int>(std::clamp<uint32_t>(most, 1, static_cast<uint32_t>(nodes)));
}

}  // namespace

std::optional<microseconds> SpanOf(const Situation& situation, v1::Rollout::Kind kind,
                                   v1::RolloutStep::Step step) {
  if (step == v1::RolloutStep::DRAINING) return DrainTimeout(situation.input.spec());
  for (const v1::StepSpan& span : situation.input.memory().spans()) {
    if (span.kind() == kind && span.step() == step) return microseconds(span.us());
  }
  return std::nullopt;
}

std::optional<microseconds> StartTakes(const Situation& situation, v1::Rollout::Kind kind,
                                       bool may_migrate) {
  const auto own = SpanOf(situation, kind, v1::RolloutStep::STARTING);
  if (kind != v1::Rollout::TOGETHER || may_migrate) return own;
  const microseconds usual =
      SpanOf(situation, v1::Rollout::ROLLING, v1::RolloutStep::STARTING).value_or(kTogetherTakes);
  return own ? std::min(*own, usual) : own;
}

std::optional<microseconds> RestTakes(const Situation& situation) {
  const auto change = SpanOf(situation, v1::Rollout::TOGETHER, v1::RolloutStep::CHANGING);
  const auto start = StartTakes(situation, v1::Rollout::TOGETHER, /*may_migrate=*/false);
  if (!change && !start) return std::nullopt;
  return change.value_or(microseconds(0)) + start.value_or(microseconds(0));
}

std::optional<microseconds> Takes(const Situation& situation, v1::Rollout::Kind kind, int nodes) {
  if (nodes <= 0) return microseconds(0);
  if (kind == v1::Rollout::IN_PLACE) return SpanOf(situation, kind, v1::RolloutStep::CHANGING);
  const auto out = OutOfService(situation, kind);
  if (!out) return std::nullopt;
  const microseconds drain = DrainTimeout(situation.input.spec());
  if (kind == v1::Rollout::TOGETHER) {
    const auto rest = nodes > 1 ? RestTakes(situation) : std::nullopt;
    return drain + *out + rest.value_or(microseconds(0));
  }
  const int at_once = AtOnce(situation.input, nodes);
  const int rounds = (nodes + at_once - 1) / at_once;
  return rounds * (drain + *out);
}

bool IsTimed(const Situation& situation, const v1::NodeMemory& memory) {
  return memory.order().epoch() >= situation.input.epoch();
}

// Of the first node that a change is done on it takes the place of what was; then the longest
// counts. Of a change together the first is right long before anybody may be back.
void NoteSpan(const v1::Rollout& rollout, v1::RolloutStep::Step step, Time::duration span,
              v1::PlanMemory& remember) {
  const int64_t us = std::max<int64_t>(0, std::chrono::duration_cast<microseconds>(span).count());
  const auto& nodes = rollout.nodes();
  const bool is_first = !rollout.has_verified_at() &&
                        std::none_of(nodes.begin(), nodes.end(),
                                     [](const v1::RolloutNode& node) { return node.out_us() > 0; });
  for (v1::StepSpan& known : *remember.mutable_spans()) {
    if (known.kind() != rollout.kind() || known.step() != step) continue;
    known.set_us(is_first ? us : std::max(known.us(), us));
    return;
  }
  v1::StepSpan& added = *remember.add_spans();
  added.set_kind(rollout.kind());
  added.set_step(step);
  added.set_us(us);
  std::sort(remember.mutable_spans()->begin(), remember.mutable_spans()->end(),
            [](const v1::StepSpan& a, const v1::StepSpan& b) {
              return std::make_tuple(a.kind(), a.step()) < std::make_tuple(b.kind(), b.step());
            });
}

}  // namespace connect_ha
