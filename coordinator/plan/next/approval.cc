#include "coordinator/plan/next/approval.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/next/asked.h"
#include "coordinator/plan/next/backup.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

int Members(const Situation& situation) {
  return static_cast<int>(std::count_if(situation.members.begin(), situation.members.end(),
                                        [](const Member& member) { return !IsGone(member); }));
}

// Without the zone that it is in, say: it never opens.
std::string WhyUnreadable(const v1::Window& window) {
  if (window.has_opens() && window.has_closes()) return "";
  return absl::StrCat("the maintenance window ", window.text(),
                      " to be readable on the coordinator's host (is its time zone known there? "
                      "apt-get install tzdata, then: systemctl restart connect-ha-coordinator)");
}

// As many as there are have to be stopped and started; "": it is open, and long enough.
std::string WhyNotInWindow(Situation& situation, const NextKind& next) {
  const v1::PlanInput& input = situation.input;
  const Time opens = FromProto(input.window().opens());
  const Time closes = FromProto(input.window().closes());
  const std::string window = absl::StrCat("the maintenance window ", input.window().text());
  const std::string now = absl::StrCat("; connect-ha approve ", AskedGeneration(input),
                                       " --now --reason ... does not wait for it");
  const std::string unreadable = WhyUnreadable(input.window());
  if (!unreadable.empty()) return unreadable + now;
  if (!situation.moments.Reached(opens)) {
    return absl::StrCat(window, ", which opens at ", FormatUtc(opens), now);
  }
  const microseconds takes =
      Takes(situation, v1::Rollout::TOGETHER, Members(situation)).value_or(kTogetherTakes);
  const microseconds backup = BackupTakes(situation, next);
  if (situation.moments.now() + takes + backup <= closes) return "";
  return absl::StrCat("the next time of ", window, ": this one ends at ", FormatUtc(closes),
                      ", and it takes about ", FormatSpan(takes),
                      backup.count() == 0 ? ""
                                          : absl::StrCat(", after ", FormatSpan(backup),
                                                         " for the backup before it"),
                      now);
}

// It was begun in time, and may go on until the window ends.
std::string WhyNoLongerApproved(Situation& situation, uint64_t generation) {
  const v1::PlanInput& input = situation.input;
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, generation);
  if (word != nullptr && (word->now() || !input.has_window())) return "";
  if (!input.has_window()) return "its approval was taken back";
  const std::string unreadable = WhyUnreadable(input.window());
  if (!unreadable.empty()) return absl::StrCat("it waits for ", unreadable);
  const bool is_open = situation.moments.Reached(FromProto(input.window().opens())) &&
                       !situation.moments.Reached(FromProto(input.window().closes()));
  return is_open ? "" : absl::StrCat("the maintenance window ", input.window().text(), " is over");
}

}  // namespace

const v1::Word* ApprovalOf(const Situation& situation) {
  const v1::PlanInput& input = situation.input;
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, AskedGeneration(input));
  const v1::Rollout& rollout = input.memory().rollout();
  const bool is_of_it = !input.has_next() && rollout.generation() == input.generation();
  const bool is_before =
      word != nullptr && is_of_it && FromProto(word->at()) <= FromProto(rollout.in_force_at());
  return is_before ? nullptr : word;
}

std::string ApprovedBy(Situation& situation, const NextKind& next, std::string& why) {
  const v1::PlanInput& input = situation.input;
  why.clear();
  if (next.kind != v1::Rollout::TOGETHER) return "";
  const v1::Word* word = ApprovalOf(situation);
  if (word != nullptr && (word->now() || !input.has_window())) return word->by();
  if (!input.has_window()) {
    why = absl::StrCat(
        "a person's approval, since it stops Connect on all nodes: connect-ha approve ",
        AskedGeneration(input), " --reason ...");
    return "";
  }
  why = WhyNotInWindow(situation, next);
  if (!why.empty()) return "";
  return word != nullptr ? word->by() : absl::StrCat("maintenance window ", input.window().text());
}

std::string WhyGoBack(Situation& situation) {
  const v1::PlanInput& input = situation.input;
  const v1::Rollout& rollout = input.memory().rollout();
  // By an older copy of the store nothing moves.
  if (!IsStopping(rollout) || situation.restored_at) return "";
  if (input.next().generation() != rollout.generation()) {
    return "a newer generation takes its place";
  }
  for (const auto kind : {v1::Word::PAUSE, v1::Word::ABORT}) {
    const v1::Word* word = ClusterWord(situation.words, kind, rollout.generation());
    if (word != nullptr) return SaidBy(*word);
  }
  const std::string refused = KindOfNext(situation).refused;
  return refused.empty() ? WhyNoLongerApproved(situation, rollout.generation()) : refused;
}

}  // namespace connect_ha
