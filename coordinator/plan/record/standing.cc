#include "coordinator/plan/record/standing.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/done.h"
#include "coordinator/plan/record/standing_stopping.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

std::string WaysBack(const v1::Rollout& rollout) {
  return absl::StrCat("to go back: connect-ha spec rollback ", rollout.from());
}

// Who is not as the generation says yet, and may be before long.
std::string WhoIsLeft(const RolloutStatus& status) {
  std::set<std::string> left;
  for (const v1::RolloutStep& step : status.nodes()) {
    const bool done = step.step() == v1::RolloutStep::CHANGED ||
                      step.step() == v1::RolloutStep::ABSENT ||
                      step.step() == v1::RolloutStep::HELD;
    if (!done) left.insert(step.node());
  }
  return absl::StrJoin(left, ", ");
}

void StandFirst(const Situation& situation, const v1::Rollout& rollout, RolloutStatus& status) {
  const Member* first = FindMember(situation, rollout.first());
  const bool is_there = first != nullptr && !IsGone(*first);
  if (is_there && !first->stays.empty()) {
    std::vector<std::string> fixes;
    if (MayBeNoMore(*first)) fixes.push_back(WhereItIsNoMore(rollout.first()));
    Stand(status, RolloutStatus::WAITS, absl::StrCat(rollout.first(), ": ", first->stays), fixes);
  } else if (!is_there || IsHeldByPerson(*first)) {
    StandNobody(situation, "a node that may go first", WaysBack(rollout), status);
  } else {
    Stand(status, RolloutStatus::GOES_ON, absl::StrCat(rollout.first(), " to be right"), {});
  }
}

std::string WhyItWaits(const Member& member, const v1::NodeAssignment& given) {
  if (!member.stays.empty()) return member.stays;
  if (given.reason().empty() && given.waits_for().empty()) return "it does not serve";
  const bool both = !given.reason().empty() && !given.waits_for().empty();
  return absl::StrCat(given.reason(), both ? ": waits for " : "", given.waits_for());
}

// It is not to be changed any more, and does not serve as the generation says: a rule has it
// fenced, say, or its facts are late.
std::string WhoIsAwaited(const Situation& situation, const v1::Decision& decision,
                         const v1::Rollout& rollout) {
  std::vector<std::string> waits;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    const v1::RolloutNode* node = FindNode(rollout, member.name());
    if (node == nullptr || IsDoneOn(situation, *node)) continue;
    waits.push_back(absl::StrCat(member.name(), ": ",
                                 WhyItWaits(member, decision.assignments(static_cast<int>(i)))));
  }
  return absl::StrJoin(waits, "; ");
}

void StandInForce(const Situation& situation, const v1::Decision& decision,
                  const v1::Rollout& rollout, RolloutStatus& status) {
  const std::string left = WhoIsLeft(status);
  const std::string awaited = WhoIsAwaited(situation, decision, rollout);
  if (!left.empty()) {
    Stand(status, RolloutStatus::GOES_ON, absl::StrCat("to be changed yet: ", left), {});
  } else if (IsDone(situation, rollout)) {
    Stand(status, RolloutStatus::GOES_ON, "every node is where it is to be", {});
  } else if (!awaited.empty()) {
    Stand(status, RolloutStatus::WAITS, awaited, {"connect-ha checklist", WaysBack(rollout)});
  } else {
    StandNobody(situation, "a node that serves", WaysBack(rollout), status);
  }
}

}  // namespace

void Stand(RolloutStatus& status, RolloutStatus::Standing standing, const std::string& reason,
           const std::vector<std::string>& fixes) {
  status.set_standing(standing);
  status.set_reason(reason);
  for (const std::string& fix : fixes) status.add_fixes(fix);
}

bool MayBeNoMore(const Member& member) {
  return member.node->brief().lost() && !member.node->fresh();
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
  const std::vector<std::string> to_resume = {"to go on: connect-ha rollout resume --reason ...",
                                              WaysBack(rollout)};
  if (situation.restored_at) {
    Stand(status, RolloutStatus::HALTED, kOlderStore, {kHowNodesMoveAgain});
  } else if (change.is_of(rollout) && change.aborted != nullptr) {
    Stand(status, RolloutStatus::HALTED, SaidBy(*change.aborted), to_resume);
  } else if (change.is_of(rollout) && !change.halted.empty()) {
    Stand(status, RolloutStatus::HALTED, change.halted, change.fixes);
  } else if (change.paused != nullptr) {
    Stand(status, RolloutStatus::PAUSED, SaidBy(*change.paused), to_resume);
  } else if (IsStopping(rollout)) {
    StandStopping(situation, change, status);
  } else if (IsFirstAlone(rollout)) {
    StandFirst(situation, rollout, status);
  } else {
    StandInForce(situation, decision, rollout, status);
  }
}

}  // namespace connect_ha
