#include "coordinator/plan/next/outlook_of.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/next/backup.h"
#include "coordinator/plan/next/begin.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

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
                    [&](const Member& member) { return MayRunConnect(situation, member); }));
}

// Whenever it opens, it would not be done in it.
std::string WhyTooShort(const Situation& situation, const NextKind& next,
                        std::chrono::microseconds takes) {
  const v1::Window& window = situation.input.window();
  if (!window.has_opens() || !window.has_closes()) return "";
  const std::chrono::microseconds backup = BackupTakes(situation, next);
  if (takes + backup <= FromProto(window.closes()) - FromProto(window.opens())) return "";
  return absl::StrCat(
      "the maintenance window ", window.text(), " is too short for it: it takes ", About(takes),
      backup.count() == 0 ? ""
                          : absl::StrCat(", after ", About(backup), " for the backup before it"),
      ", and only connect-ha approve --now begins it");
}

// 0: of what is only thought of.
std::string Approve(uint64_t generation) {
  return generation == 0 ? "connect-ha approve" : absl::StrCat("connect-ha approve ", generation);
}

}  // namespace

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
    const bool too_few = static_cast<size_t>(MembersToChange(situation)) <= least;
    absl::StrAppend(&text, too_few ? ", with fewer than " : ", at least ", least,
                    least == 1 ? " node" : " nodes", " serving");
    // It is begun without it, and takes nobody out of service.
    if (too_few) outlook.set_needs(Approve(input.next().generation()) + " --allow-downtime");
  }
  if (at_once && next.migrates) {
    absl::StrAppend(&text, "; Connect is started once that is approved");
  }
  outlook.set_text(text);
  const std::string too_short =
      together ? WhyTooShort(situation, next, takes.value_or(kTogetherTakes)) : "";
  if (!too_short.empty()) {
    outlook.add_because(too_short);
    outlook.set_needs(Approve(input.next().generation()) + " --now");
  } else if (together && !input.next().spec().rollout().has_maintenance_window()) {
    outlook.set_needs(Approve(input.next().generation()));
  } else if (together) {
    outlook.set_needs(absl::StrCat("the maintenance window ",
                                   input.next().spec().rollout().maintenance_window(),
                                   ", or: connect-ha approve --now"));
  }
  return outlook;
}

}  // namespace connect_ha
