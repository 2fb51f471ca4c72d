#include "coordinator/plan/change/begin.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/change/estimate.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

constexpr const char* kDatabaseRules[] = {"database-reachable", "database-is-writable"};

bool Enforces(const v1::ClusterSpec& spec) { return spec.enforcement() == v1::ENFORCE; }

// It speaks for itself, and what it says counts.
bool IsThere(const Member& member) {
  const v1::PlanNode& node = *member.node;
  return node.heard() && node.fresh() && !node.brief().lost() && !member.left_alone;
}

// "node-1: ...; node-2: ...; and 4 more"
std::string Named(const std::vector<std::string>& lines) {
  constexpr size_t kMost = 3;
  if (lines.size() <= kMost) return absl::StrJoin(lines, "; ");
  const std::vector<std::string> first(lines.begin(), lines.begin() + kMost);
  return absl::StrCat(absl::StrJoin(first, "; "), "; and ", lines.size() - kMost, " more");
}

std::string WhyNotReadyOn(const Situation& situation, const v1::PlanNode& node) {
  if (!SpeaksOfNext(situation.input, node)) {
    return "its agent has not said whether it is ready (one of an older release never does: "
           "upgrade connect-ha-agent there)";
  }
  const v1::Ahead& staged = node.staged();
  if (staged.ready()) return "";
  if (staged.troubles_size() > 0) {
    const v1::Trouble& trouble = staged.troubles(0);
    return absl::StrCat(trouble.resource(), ": ", trouble.error(),
                        trouble.fix().empty() ? "" : ": ", trouble.fix());
  }
  return staged.has_step() ? absl::StrCat("it gets ready: ", staged.step().resource())
                           : "it gets ready";
}

// Nothing is stopped while it is not known that every Connect will be.
std::string WhyMayNotBeStopped(const Situation& situation, const Member& member) {
  if (!IsThere(member)) {
    const std::string what = member.stays.empty() ? "it is lost" : member.stays;
    // Two machines of one name, say: nobody can declare these gone.
    if (member.node->fresh()) return what;
    return absl::StrCat(what, "; where that machine is no more: connect-ha approve ",
                        situation.input.next().generation(), " --skip-lost ", member.name(),
                        " --reason ...");
  }
  return member.may == May::kServe ? "" : member.why_no_more;
}

// One whose Connect rests may not know the database yet.
std::string WhyNoDatabase(const Situation& situation, const Member& member) {
  for (const char* rule : kDatabaseRules) {
    if (ActionOf(situation, member, rule) <= v1::TELL) continue;
    const v1::NodeRule* line = LineOf(*member.node, rule);
    const bool fails = line != nullptr && Fails(*line);
    if ((line != nullptr && Holds(*line)) || (!fails && !MayRunConnect(member))) continue;
    const bool says = line != nullptr && !line->text().empty();
    return absl::StrCat(rule, ": ", says ? line->text() : "it is not known");
  }
  return "";
}

std::string WhyItIsWrong(const Situation& situation, const Member& member) {
  for (const v1::Hazard& hazard : member.hazards) {
    if (hazard.acts()) return absl::StrCat(hazard.rule(), ": ", hazard.text());
  }
  return WhyNoDatabase(situation, member);
}

std::string WhyNotAllMayStop(const Situation& situation) {
  std::vector<std::string> waits;
  for (const Member& member : situation.members) {
    if (IsGone(member)) continue;
    std::string why = WhyMayNotBeStopped(situation, member);
    if (why.empty()) why = WhyItIsWrong(situation, member);
    if (!why.empty()) waits.push_back(absl::StrCat(member.name(), ": ", why));
  }
  return Named(waits);
}

int Members(const Situation& situation) {
  return static_cast<int>(std::count_if(situation.members.begin(), situation.members.end(),
                                        [](const Member& member) { return !IsGone(member); }));
}

// As many as there are have to be stopped and started; "": it is open, and long enough.
std::string WhyNotInWindow(Situation& situation) {
  const v1::PlanInput& input = situation.input;
  const Time opens = FromProto(input.window().opens());
  const Time closes = FromProto(input.window().closes());
  const std::string window = absl::StrCat("the maintenance window ", input.window().text());
  const std::string now = absl::StrCat("; connect-ha approve ", input.next().generation(),
                                       " --now --reason ... does not wait for it");
  if (!situation.moments.Reached(opens)) {
    return absl::StrCat(window, ", which opens at ", FormatUtc(opens), now);
  }
  const microseconds takes =
      Takes(situation, v1::Rollout::TOGETHER, Members(situation)).value_or(kTogetherTakes);
  if (situation.moments.now() + takes <= closes) return "";
  return absl::StrCat("the next time of ", window, ": this one ends at ", FormatUtc(closes),
                      ", and it takes about ", FormatSpan(takes), now);
}

// It was begun in time, and may go on until the window ends.
std::string WhyNoLongerApproved(Situation& situation, uint64_t generation) {
  const v1::PlanInput& input = situation.input;
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, generation);
  if (word != nullptr && (word->now() || !input.has_window())) return "";
  if (!input.has_window()) return "its approval was taken back";
  const bool is_open = situation.moments.Reached(FromProto(input.window().opens())) &&
                       !situation.moments.Reached(FromProto(input.window().closes()));
  return is_open ? "" : absl::StrCat("the maintenance window ", input.window().text(), " is over");
}

}  // namespace

bool BeginsAtOnce(const Situation& situation, const NextKind& next) {
  const v1::PlanInput& input = situation.input;
  if (!input.has_next() || situation.restored_at || !next.refused.empty()) return false;
  if (input.generation() == 0) return true;
  if (!Enforces(input.spec()) || !Enforces(input.next().spec())) return true;
  return !next.migrates &&
         std::none_of(situation.members.begin(), situation.members.end(), [](const Member& member) {
           return IsAwaited(member) || MayRunConnect(member);
         });
}

std::string WhyNotStaged(const Situation& situation) {
  if (situation.restored_at) return kOlderStore;
  std::vector<std::string> waits;
  for (const Member& member : situation.members) {
    std::string why;
    if (IsAwaited(member)) {
      why = "it was not heard since the coordinator started";
    } else if (IsThere(member)) {
      why = WhyNotReadyOn(situation, *member.node);
    }
    if (!why.empty()) waits.push_back(absl::StrCat(member.name(), ": ", why));
  }
  return Named(waits);
}

std::string WhyNotReady(const Situation& situation, const NextKind& next) {
  const std::string why = WhyNotStaged(situation);
  if (!why.empty() || next.kind != v1::Rollout::TOGETHER) return why;
  return WhyNotAllMayStop(situation);
}

std::string ApprovedBy(Situation& situation, const NextKind& next, std::string& why) {
  const v1::PlanInput& input = situation.input;
  why.clear();
  if (next.kind != v1::Rollout::TOGETHER) return "";
  const uint64_t generation = input.next().generation();
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, generation);
  if (word != nullptr && (word->now() || !input.has_window())) return word->by();
  if (!input.has_window()) {
    why = absl::StrCat(
        "a person's approval, since it stops Connect on all nodes: connect-ha approve ", generation,
        " --reason ...");
    return "";
  }
  why = WhyNotInWindow(situation);
  if (!why.empty()) return "";
  return word != nullptr ? word->by() : absl::StrCat("maintenance window ", input.window().text());
}

std::string WhyGoBack(Situation& situation) {
  const v1::PlanInput& input = situation.input;
  const v1::Rollout& rollout = input.memory().rollout();
  if (!IsStopping(rollout)) return "";
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
