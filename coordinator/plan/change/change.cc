#include "coordinator/plan/change/change.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/halted.h"
#include "coordinator/plan/change/turns.h"
#include "coordinator/plan/next/approval.h"
#include "coordinator/plan/next/next.h"

namespace connect_ha {

bool IsStopping(const v1::Rollout& rollout) {
  return rollout.generation() != 0 && !rollout.has_ended_at() &&
         rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_in_force_at();
}

bool IsFirstAlone(const v1::Rollout& rollout) {
  return rollout.generation() != 0 && !rollout.has_ended_at() &&
         rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at() &&
         !rollout.has_verified_at();
}

const Member* FindMember(const Situation& situation, const std::string& name) {
  for (const Member& member : situation.members) {
    if (member.name() == name) return &member;
  }
  return nullptr;
}

const v1::RolloutNode* FindNode(const v1::Rollout& rollout, const std::string& name) {
  const auto& nodes = rollout.nodes();
  const auto found = std::lower_bound(
      nodes.begin(), nodes.end(), name,
      [](const v1::RolloutNode& node, const std::string& wanted) { return node.node() < wanted; });
  return found == nodes.end() || found->node() != name ? nullptr : &*found;
}

bool IsHeldByPerson(const Member& member) {
  const NodeWords& words = member.words;
  return words.fence != nullptr || words.stop != nullptr || words.drain != nullptr ||
         words.cordon != nullptr || words.release != nullptr ||
         (member.notice != nullptr && member.notice->kind() != v1::InstanceNotice::REBALANCE);
}

bool LeavesAnyway(const Member& member) {
  const NodeWords& words = member.words;
  return words.fence != nullptr || words.stop != nullptr || words.drain != nullptr ||
         member.notice != nullptr;
}

bool IsLeftOut(const Member& member) {
  const bool in_service = member.position == v1::SERVING || member.position == v1::OBSERVED;
  const bool is_cordoned_only =
      member.words.cordon != nullptr && member.words.release == nullptr && !LeavesAnyway(member);
  if (is_cordoned_only && (in_service || member.position == v1::DRAINING)) return false;
  return IsHeldByPerson(member) || (member.notice != nullptr && !in_service);
}

Change LookAtChange(Situation& situation) {
  const v1::PlanInput& input = situation.input;
  Change change;
  const v1::Rollout& remembered = input.memory().rollout();
  if (remembered.generation() != 0 && !remembered.has_ended_at()) change.rollout = remembered;
  change.stopping = IsStopping(change.rollout);
  change.first_alone = IsFirstAlone(change.rollout);
  change.paused = ClusterWord(situation.words, v1::Word::PAUSE);
  if (input.generation() != 0) {
    const uint64_t gone_to = change.stopping ? change.rollout.generation() : input.generation();
    change.aborted = ClusterWord(situation.words, v1::Word::ABORT, gone_to);
    change.approved = ClusterWord(situation.words, v1::Word::APPROVE, input.generation());
  }
  change.turns = WhoseTurn(situation, change);
  change.halted = WhyHalted(situation, change.rollout, change.fixes);
  if (!change.halted.empty()) {
    situation.Say("",
                  absl::StrCat("generation ", change.rollout.generation(),
                               " stopped half way: ", change.halted),
                  absl::StrJoin(change.fixes, "; or: "));
  }
  if (change.stopping) {
    change.next = KindOfNext(situation);
    change.goes_back = WhyGoBack(situation);
  } else if (input.has_next()) {
    LookAtNext(situation, change);
  }
  return change;
}

}  // namespace connect_ha
