#include "coordinator/plan/next/begin.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/next/added.h"

namespace connect_ha {
namespace {

constexpr const char* kDatabaseRules[] = {"database-reachable", "database-is-writable"};

// It speaks for itself, and what it says counts.
bool IsThere(const Member& member) {
  const v1::PlanNode& node = *member.node;
  return node.heard() && node.fresh() && !node.brief().lost() && !member.left_alone;
}

// "node-1: ...; node-2: ...; and 4 more"
std::string Named(const std::vector<std::string>& lines) {
  constexpr size_t kMost = 3;
  if (lines.size() <= kMost) return absl::StrJoin(lines, "; ");
  const std::string first = absl::StrJoin(lines.begin(), lines.begin() + kMost, "; ");
  return absl::StrCat(first, "; and ", lines.size() - kMost, " more");
}

std::string WhyNotReadyOn(const Situation& situation, const v1::PlanNode& node) {
  if (!SpeaksOfNext(situation.input, node)) {
    const Time applied = FromProto(situation.input.next().applied_at());
    const bool is_late = situation.moments.Lasted(applied, std::chrono::minutes(1));
    return absl::StrCat(
        "its agent has not said whether it is ready",
        is_late ? " (one of an older release never does: upgrade connect-ha-agent there)" : "");
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
  if (member.may == May::kServe) return "";
  if (member.words.release == nullptr) return member.why_no_more;
  return absl::StrCat(member.why_no_more, "; to take it back: connect-ha release --take-back ",
                      member.name(), " --reason ...");
}

// Not: the version, which the change itself puts right; nor how Connect runs that is stopped.
std::string WhyItIsWrong(const Situation& situation, const Member& member) {
  const bool names_version = situation.input.next().spec().connect().has_version();
  for (const v1::Hazard& hazard : member.hazards) {
    if (names_version && hazard.rule() == kVersionRule) continue;
    if (hazard.rule() == kServiceRule) continue;
    if (!KeepsFromEntering(situation, member, hazard)) continue;
    return absl::StrCat(hazard.rule(), ": ", hazard.text());
  }
  return WhyNoDatabase(situation, member);
}

std::string WhyNotAllMayStop(const Situation& situation) {
  std::vector<std::string> waits;
  bool is_anybody_free = false;
  for (const Member& member : situation.members) {
    if (IsGone(member)) continue;
    is_anybody_free |= !IsHeldByPerson(member);
    std::string why = WhyMayNotBeStopped(situation, member);
    if (why.empty()) why = WhyItIsWrong(situation, member);
    if (!why.empty()) waits.push_back(absl::StrCat(member.name(), ": ", why));
  }
  if (!waits.empty() || is_anybody_free) return Named(waits);
  std::vector<std::string> fixes;
  const std::string kept = WhoIsKeptBack(situation, fixes);
  return absl::StrCat("a node that may go first: ", kept, fixes.empty() ? "" : ": ",
                      absl::StrJoin(fixes, ""));
}

}  // namespace

// One whose Connect rests may not know the database yet. What the specification or a waiver has the
// rules do is about users; here they are asked for what they see.
std::string WhyNoDatabase(const Situation& situation, const Member& member) {
  for (const char* rule : kDatabaseRules) {
    const v1::NodeRule* line = LineOf(*member.node, rule);
    const bool fails = line != nullptr && Fails(*line);
    const bool holds = line != nullptr && Holds(*line);
    if (holds || (!fails && !MayRunConnect(situation, member))) continue;
    const bool says = line != nullptr && !line->text().empty();
    return absl::StrCat(rule, ": ", says ? line->text() : "it is not known");
  }
  return "";
}

bool BeginsAtOnce(const Situation& situation, const NextKind& next) {
  const v1::PlanInput& input = situation.input;
  if (!input.has_next() || situation.restored_at || !next.refused.empty()) return false;
  if (input.generation() == 0) return true;
  if (input.spec().enforcement() != v1::ENFORCE) return true;
  if (input.next().spec().enforcement() != v1::ENFORCE) return true;
  return !next.migrates && std::none_of(situation.members.begin(), situation.members.end(),
                                        [&situation](const Member& member) {
                                          return IsAwaited(member) ||
                                                 MayRunConnect(situation, member);
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
    } else if (AddsRuntimes(situation.input)) {
      why = WhyItMayLackThem(member);
    }
    if (!why.empty()) waits.push_back(absl::StrCat(member.name(), ": ", why));
  }
  return Named(waits);
}

std::string WhyNotReady(const Situation& situation, const NextKind& next) {
  const std::string why = WhyNotStaged(situation);
  return why.empty() && next.kind == v1::Rollout::TOGETHER ? WhyNotAllMayStop(situation) : why;
}

}  // namespace connect_ha
