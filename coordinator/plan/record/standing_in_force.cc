#include "coordinator/plan/record/standing_in_force.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/halted.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/done.h"
#include "coordinator/plan/record/standing.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

// Who is not as the generation says yet, and may be before long.
std::set<std::string> WhoIsLeft(const RolloutStatus& status) {
  std::set<std::string> left;
  for (const v1::RolloutStep& step : status.nodes()) {
    const bool done = step.step() == v1::RolloutStep::CHANGED ||
                      step.step() == v1::RolloutStep::ABSENT ||
                      step.step() == v1::RolloutStep::HELD;
    if (!done) left.insert(step.node());
  }
  return left;
}

std::string WhyItWaits(const Member& member, const v1::NodeAssignment& given) {
  if (!member.stays.empty()) return member.stays;
  if (given.reason().empty() && given.waits_for().empty()) return "it does not serve yet";
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

// It is told to take users, and does not yet.
bool IsOpening(const Situation& situation, const Member& member, const v1::NodeAssignment& given) {
  return given.state() == v1::SERVING && !given.closed() && !member.serves &&
         member.node->connect() == v1::CONNECT_RUNS && member.node->fresh() &&
         !situation.moments.Lasted(FromProto(given.since()), kTakesLong);
}

// Something is being done on a node, so that those that wait are waited for by themselves.
bool IsAnybodyAtIt(const Situation& situation, const v1::Decision& decision,
                   const RolloutStatus& status) {
  const auto& steps = status.nodes();
  const bool at_it = std::any_of(steps.begin(), steps.end(), [](const v1::RolloutStep& step) {
    return step.step() == v1::RolloutStep::DRAINING || step.step() == v1::RolloutStep::CHANGING ||
           step.step() == v1::RolloutStep::STARTING || step.step() == v1::RolloutStep::VERIFYING;
  });
  for (size_t i = 0; i < situation.members.size() && !at_it; ++i) {
    if (IsOpening(situation, situation.members[i], decision.assignments(static_cast<int>(i)))) {
      return true;
    }
  }
  return at_it;
}

// Why those who are left are not at it, where any says so, and what was said to be typed for that.
std::string WhyNobodyIsAtIt(const Situation& situation, const v1::Decision& decision,
                            const std::set<std::string>& left, std::vector<std::string>& fixes) {
  std::vector<std::string> waits;
  for (const v1::NodeAssignment& given : decision.assignments()) {
    const Member* member = FindMember(situation, given.node());
    const bool says = !given.reason().empty() || !given.waits_for().empty();
    if (left.count(given.node()) == 0 || member == nullptr || !says) continue;
    waits.push_back(absl::StrCat(given.node(), ": ", WhyItWaits(*member, given)));
    for (const v1::Said& said : situation.said) {
      if (fixes.empty() && said.node() == given.node() && !said.fix().empty()) {
        fixes.push_back(said.fix());
      }
    }
  }
  return absl::StrJoin(waits, "; ");
}

}  // namespace

void StandInForce(const Situation& situation, const v1::Decision& decision,
                  const v1::Rollout& rollout, RolloutStatus& status) {
  const std::set<std::string> left = WhoIsLeft(status);
  const std::string awaited = WhoIsAwaited(situation, decision, rollout);
  std::vector<std::string> fixes;
  const bool at_it = IsAnybodyAtIt(situation, decision, status);
  const std::string why =
      left.empty() || at_it ? "" : WhyNobodyIsAtIt(situation, decision, left, fixes);
  if (!why.empty()) {
    if (fixes.empty()) fixes.emplace_back("connect-ha checklist");
    fixes.push_back(WayBack(situation, rollout));
    Stand(status, RolloutStatus::WAITS, why, fixes);
  } else if (!left.empty()) {
    Stand(status, RolloutStatus::GOES_ON,
          absl::StrCat("to be changed yet: ", absl::StrJoin(left, ", ")), {});
  } else if (IsDone(situation, rollout)) {
    Stand(status, RolloutStatus::GOES_ON, "every node is where it is to be", {});
  } else if (!awaited.empty() && at_it) {
    Stand(status, RolloutStatus::GOES_ON, awaited, {});
  } else if (!awaited.empty()) {
    Stand(status, RolloutStatus::WAITS, awaited,
          {"connect-ha checklist", WayBack(situation, rollout)});
  } else {
    StandNobody(situation, "a node that serves", WayBack(situation, rollout), status);
  }
}

}  // namespace connect_ha
