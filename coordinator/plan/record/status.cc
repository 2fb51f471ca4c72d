#include "coordinator/plan/record/status.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/estimate.h"
#include "coordinator/plan/look/serving.h"
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

void SetLeft(const Situation& situation, v1::Rollout::Kind kind, RolloutStatus& status) {
  const auto left =
      std::count_if(status.nodes().begin(), status.nodes().end(), [](const v1::RolloutStep& step) {
        return step.step() != v1::RolloutStep::CHANGED && step.step() != v1::RolloutStep::ABSENT;
      });
  const auto takes = Takes(situation, kind, static_cast<int>(left));
  if (takes) status.set_left_us(takes->count());
}

RolloutStatus OfRollout(Situation& situation, const Change& change, const v1::Decision& decision) {
  const v1::Rollout& rollout = decision.remember().rollout();
  RolloutStatus status;
  const bool ended = rollout.has_ended_at();
  status.set_generation(rollout.generation());
  status.set_kind(rollout.kind());
  status.set_phase(PhaseOf(rollout, !ended && change.aborted != nullptr));
  *status.mutable_since() = ended ? rollout.ended_at() : rollout.began_at();
  AddSteps(situation, decision, rollout, status);
  if (ended) return status;
  StandUnderWay(situation, change, decision, status);
  SetLeft(situation, rollout.kind(), status);
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
    Stand(status, RolloutStatus::WAITS,
          situation.restored_at ? "the store is an older copy" : change.goes_back, {});
  }
  *status.mutable_outlook() = OutlookOf(situation, change.next);
  if (status.outlook().has_takes_us()) status.set_left_us(status.outlook().takes_us());
  AddSteps(situation, decision, v1::Rollout(), status);
  return status;
}

std::string WhatItDoes(v1::Rollout::Kind kind) {
  switch (kind) {
    case v1::Rollout::TOGETHER:
      return "this stops Connect on all nodes";
    case v1::Rollout::ROLLING:
      return "a rolling restart";
    default:
      return "a change in place, without a restart of Connect";
  }
}

// Rounded up to minutes.
std::string About(std::chrono::microseconds span) {
  const auto minutes =
      std::max<int64_t>(1, (span + std::chrono::seconds(59)) / std::chrono::minutes(1));
  return absl::StrCat("about ", minutes, " min");
}

int MembersToChange(const Situation& situation) {
  return static_cast<int>(
      std::count_if(situation.members.begin(), situation.members.end(),
                    [](const Member& member) { return MayRunConnect(member); }));
}

}  // namespace

v1::RolloutStatus StatusOf(Situation& situation, const Change& change,
                           const v1::Decision& decision) {
  const v1::PlanInput& input = situation.input;
  const v1::Rollout& rollout = decision.remember().rollout();
  const bool begun = rollout.generation() != 0;
  const bool pending = input.has_next() && decision.remember().generation() == input.generation();
  const bool is_next_begun =
      begun && rollout.generation() == input.next().generation() && !rollout.has_ended_at();
  // What cannot take its place yet is not shown in its place.
  const bool holds_up = begun && !rollout.has_ended_at() &&
                        rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at() &&
                        change.goes_on();
  if (pending && !is_next_begun && !holds_up) return OfNext(situation, change, decision);
  if (begun) return OfRollout(situation, change, decision);
  return {};
}

v1::Outlook OutlookOf(const Situation& situation, const NextKind& next) {
  v1::Outlook outlook;
  const v1::PlanInput& input = situation.input;
  outlook.set_kind(next.kind);
  for (const std::string& one : next.because) outlook.add_because(one);
  for (const std::string& one : next.unknown) outlook.add_unknown(one);
  outlook.set_refused(next.refused);
  outlook.set_fix(next.fix);
  const bool at_once = BeginsAtOnce(situation, next);
  const bool together = next.kind == v1::Rollout::TOGETHER && !at_once;
  std::string text = at_once ? "it is put into force at once" : WhatItDoes(next.kind);
  if (at_once && next.kind != v1::Rollout::IN_PLACE) {
    absl::StrAppend(&text, "; where Connect has to be stopped for it, the node stays observed");
  }
  const auto takes =
      at_once ? std::nullopt : Takes(situation, next.kind, MembersToChange(situation));
  if (takes) {
    outlook.set_takes_us(takes->count());
    absl::StrAppend(&text, ", ", About(*takes));
  }
  if (!at_once && next.kind == v1::Rollout::ROLLING) {
    const size_t least = MinimumServing(input.next().spec());
    absl::StrAppend(&text, ", at least ", least, least == 1 ? " node" : " nodes", " serving");
  }
  outlook.set_text(text);
  if (together && !input.next().spec().rollout().has_maintenance_window()) {
    outlook.set_needs(input.next().generation() == 0
                          ? "connect-ha approve"
                          : absl::StrCat("connect-ha approve ", input.next().generation()));
  } else if (together) {
    outlook.set_needs(absl::StrCat("the maintenance window ",
                                   input.next().spec().rollout().maintenance_window(),
                                   ", or: connect-ha approve --now"));
  }
  return outlook;
}

}  // namespace connect_ha
