#include "coordinator/plan/record/estimate.h"

#include <algorithm>
#include <cstdint>

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

std::optional<microseconds> Takes(const Situation& situation, v1::Rollout::Kind kind, int nodes) {
  if (nodes <= 0) return microseconds(0);
  if (kind == v1::Rollout::IN_PLACE) return SpanOf(situation, kind, v1::RolloutStep::CHANGING);
  const auto out = OutOfService(situation, kind);
  if (!out) return std::nullopt;
  const microseconds drain = DrainTimeout(situation.input.spec());
  if (kind == v1::Rollout::TOGETHER) return drain + (nodes > 1 ? 2 : 1) * *out;
  const int at_once = AtOnce(situation.input, nodes);
  const int rounds = (nodes + at_once - 1) / at_once;
  return rounds * (drain + *out);
}

}  // namespace connect_ha
