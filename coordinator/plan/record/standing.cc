#include "coordinator/plan/record/standing.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/halted.h"
#include "coordinator/plan/change/together.h"
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
    Stand(status, RolloutStatus::WAITS, absl::StrCat(rollout.first(), ": ", first->stays),
          {absl::StrCat("where that machine is no more: connect-ha rollout resume --skip-lost ",
                        rollout.first(), " --reason ...")});
  } else if (!is_there || IsHeldByPerson(*first)) {
    StandNobody(situation, "a node that may go first", WayBack(situation, rollout), status);
  } else {
    Stand(status, RolloutStatus::GOES_ON, absl::StrCat(rollout.first(), " to be right"), {});
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
  if (situation.restored_at) {
    Stand(status, RolloutStatus::HALTED, kOlderStore, {kHowNodesMoveAgain});
  } else if (change.aborted != nullptr) {
    Stand(status, RolloutStatus::HALTED, SaidBy(*change.aborted),
          {absl::StrCat("to go on: connect-ha rollout resume ", rollout.generation(),
                        " --reason ..."),
           back});
  } else if (!change.halted.empty()) {
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
