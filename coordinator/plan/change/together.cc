#include "coordinator/plan/change/together.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

bool IsStopped(const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!node.heard() || !node.fresh() || node.brief().lost() || member.left_alone) return false;
  return node.connect() == v1::CONNECT_RESTS &&
         (HasReached(member, v1::STOPPED) || HasReached(member, v1::FENCED));
}

bool MayGoFirst(const Member& member) {
  return member.stays.empty() && !IsGone(member) && member.may == May::kServe &&
         !IsHeldByPerson(member) && member.memory.out_for_size() == 0;
}

struct Kept {
  std::string why;  // "": nothing keeps it back
  std::string fix;
};

Kept WhatKeepsBack(const Member& member) {
  const NodeWords& words = member.words;
  const std::string of_node = absl::StrCat(member.name(), " --reason ...");
  if (!member.stays.empty()) return {member.stays, ""};
  if (words.release != nullptr) {
    return {SaidBy(*words.release), absl::StrCat("connect-ha release --take-back ", of_node)};
  }
  if (member.may != May::kServe) return {member.why_no_more, ""};
  if (words.fence != nullptr) {
    return {SaidBy(*words.fence), absl::StrCat("connect-ha node unfence ", of_node)};
  }
  if (words.stop != nullptr) {
    return {SaidBy(*words.stop), absl::StrCat("connect-ha node start ", of_node)};
  }
  for (const v1::Word* word : {words.drain, words.cordon}) {
    if (word != nullptr) {
      return {SaidBy(*word), absl::StrCat("connect-ha node uncordon ", of_node)};
    }
  }
  if (member.notice != nullptr) return {TextOf(*member.notice), ""};
  if (member.memory.out_for_size() == 0) return {};
  return {absl::StrJoin(member.memory.out_for(), ", "), "connect-ha checklist"};
}

std::string WhyFirstIsHeld(const Change& change, const Member& first) {
  // Half a migration is no state to leave a database in.
  if (change.aborted != nullptr) return MayBeMigrating(first) ? "" : SaidBy(*change.aborted);
  // Once it was told to start, it may be migrating the database.
  const bool told = first.position == v1::SERVING || first.position == v1::DRAINING;
  return change.paused != nullptr && !told ? SaidBy(*change.paused) : "";
}

// One is right already; who has not gone on since stays where it is.
std::string WhyHeldAtRest(const Change& change, const Member& member) {
  const bool rests = member.position == v1::STOPPED || member.position == v1::FENCED;
  const bool begun = member.position == v1::PREPARING || member.position == v1::READY;
  if (change.aborted != nullptr && (rests || begun)) return SaidBy(*change.aborted);
  if (!rests) return "";
  if (change.paused != nullptr) return SaidBy(*change.paused);
  // Its own failing is what it is held by then, and a person has it tried again.
  return change.halted.empty()
             ? ""
             : absl::StrCat("generation ", change.rollout.generation(), " stopped half way");
}

}  // namespace

std::string WhyHeld(const Situation& situation, const Change& change, const Member& member) {
  const v1::Rollout& rollout = change.rollout;
  if (rollout.kind() != v1::Rollout::TOGETHER || member.may != May::kServe) return "";
  if (change.stopping) {
    // It is given up: who has not left stays.
    const bool has_left = member.position != v1::SERVING && member.position != v1::OBSERVED;
    if (!change.goes_back.empty() && !has_left) return "";
    return absl::StrCat("all nodes stop for generation ", rollout.generation());
  }
  if (rollout.generation() != situation.input.generation()) return "";
  if (!change.first_alone) return WhyHeldAtRest(change, member);
  if (member.name() == rollout.first()) return WhyFirstIsHeld(change, member);
  return absl::StrCat(rollout.first(), " is changed alone, and has to be right first");
}

bool AllStopped(const Situation& situation, std::string& waits) {
  std::set<std::string> others;
  for (const Member& member : situation.members) {
    if (!IsStopped(member) && !IsGone(member)) others.insert(member.name());
  }
  if (others.empty()) return true;
  waits = absl::StrCat(absl::StrJoin(others, ", "), " to be stopped");
  return false;
}

std::string FirstOf(const Situation& situation, const Change& change) {
  const Member* chosen = FindMember(situation, change.rollout.first());
  // Until it has been started, a person may keep it back, and another one goes first.
  const bool may_be_another =
      chosen == nullptr || IsGone(*chosen) ||
      (IsHeldByPerson(*chosen) && chosen->stays.empty() && !MayRunConnect(situation, *chosen));
  if (!may_be_another) return chosen->name();
  const Member* eldest = nullptr;
  for (const Member& member : situation.members) {
    if (!MayGoFirst(member)) continue;
    if (eldest == nullptr || member.node->member() < eldest->node->member()) eldest = &member;
  }
  if (eldest != nullptr) return eldest->name();
  return chosen == nullptr || IsGone(*chosen) ? "" : chosen->name();
}

std::string WhoIsKeptBack(const Situation& situation, std::vector<std::string>& fixes) {
  std::vector<std::string> lines;
  for (const Member& member : situation.members) {
    if (IsGone(member)) continue;
    const Kept kept = WhatKeepsBack(member);
    if (kept.why.empty()) continue;
    lines.push_back(absl::StrCat(member.name(), ": ", kept.why));
    if (fixes.empty() && !kept.fix.empty()) fixes.push_back(kept.fix);
  }
  return lines.empty() ? "none is there" : absl::StrJoin(lines, "; ");
}

}  // namespace connect_ha
