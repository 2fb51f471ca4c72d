#include "coordinator/plan/record/standing.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/halted.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/standing_in_force.h"
#include "coordinator/plan/record/standing_stopping.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

void StandFirst(const Situation& situation, const v1::Rollout& rollout, RolloutStatus& status) {
  const Member* first = FindMember(situation, rollout.first());
  const bool is_there = first != nullptr && !IsGone(*first);
  if (is_there && !first->stays.empty()) {
    std::vector<std::string> fixes;
    if (MayBeNoMore(*first)) fixes.push_back(WhereItIsNoMore(rollout.first()));
    Stand(status, RolloutStatus::WAITS, absl::StrCat(rollout.first(), ": ", first->stays), fixes);
  } else if (!is_there || IsHeldByPerson(*first)) {
    StandNobody(situation, "a node that may go first", WayBack(situation, rollout), status);
  } else {
    Stand(status, RolloutStatus::GOES_ON,
          absl::StrCat(rollout.first(), " to be right",
                       MayBeMigrating(*first) ? ": it may be migrating the database" : ""),
          {});
  }
}

}  // namespace

void Stand(RolloutStatus& status, RolloutStatus::Standing standing, const std::string& reason,
           const std::vector<std::string>& fixes) {
  status.set_standing(standing);
  status.set_reason(reason);
  for (const std::string& fix : fixes) {
    if (!fix.empty()) status.add_fixes(fix);
  }
}

bool MayBeNoMore(const Member& member) {
  const v1::NodeBrief& brief = member.node->brief();
  return (brief.lost() || !brief.has_last_seen()) && !member.node->fresh();
}

std::string WhereItIsNoMore(const std::string& node) {
  return absl::StrCat("where that machine is no more: connect-ha rollout resume --skip-lost ", node,
                      " --reason ...");
}

void StandNobody(const Situation& situation, const std::string& waits, const std::string& back,
                 RolloutStatus& status) {
  std::vector<std::string> fixes;
  const std::string why = WhoIsKeptBack(situation, fixes);
  fixes.push_back(back);
  Stand(status, RolloutStatus::WAITS, absl::StrCat(waits, ": ", why), fixes);
}

void StandUnderWay(const Situation& situation, const Change& change, const v1::Decision& decision,
                   RolloutStatus& status) {
  const v1::Rollout& rollout = decision.remember().rollout();
  const std::string back = WayBack(situation, rollout);
  const std::string to_take_back =
      absl::StrCat("to go on: connect-ha rollout resume ", rollout.generation(), " --reason ...");
  const Member* first = IsFirstAlone(rollout) ? FindMember(situation, rollout.first()) : nullptr;
  const bool aborted = change.is_of(rollout) && change.aborted != nullptr;
  if (situation.restored_at) {
    Stand(status, RolloutStatus::HALTED, kOlderStore, {kHowNodesMoveAgain});
  } else if (aborted && first != nullptr && MayBeMigrating(*first)) {
    Stand(status, RolloutStatus::HALTED,
          absl::StrCat(SaidBy(*change.aborted), "; ", first->name(),
                       " may be migrating the database, and is stopped once it answers, or ended"),
          {to_take_back, HowToStopIt(*first)});
  } else if (aborted) {
    Stand(status, RolloutStatus::HALTED, SaidBy(*change.aborted), {to_take_back, back});
  } else if (change.is_of(rollout) && !change.halted.empty()) {
    Stand(status, RolloutStatus::HALTED, change.halted, change.fixes);
  } else if (change.paused != nullptr) {
    Stand(status, RolloutStatus::PAUSED, SaidBy(*change.paused),
          {"to go on: connect-ha rollout resume --reason ...", back});
  } else if (IsStopping(rollout)) {
    StandStopping(situation, change, status);
  } else if (IsFirstAlone(rollout)) {
    StandFirst(situation, rollout, status);
  } else {
    StandInForce(situation, decision, rollout, status);
  }
}

}  // namespace connect_ha
