#include "coordinator/plan/decide.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/said.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"
#include "coordinator/plan/move/fence.h"
#include "coordinator/plan/move/orders.h"
#include "coordinator/plan/move/starts.h"

namespace connect_ha {
namespace {

// As it is: what it was told, or, where that may not be what it goes by, what it says that it is.
Move StayAsItIs(const Member& member) {
  const v1::NodeState reported = member.node->brief().reported_state();
  const bool known = reported != v1::NODE_STATE_UNSPECIFIED && v1::NodeState_IsValid(reported);
  Move move;
  move.state = !member.left_alone ? member.memory.state() : known ? reported : v1::OBSERVED;
  move.waits_for = member.stays;
  return move;
}

// What one is that has left service, as it is looked at next.
Member AsLeft(Situation& situation, const Member& member, const Leave& leave) {
  Member left = member;
  left.position = leave.to;
  left.memory.clear_out_for();
  for (const std::string& rule : leave.rules) left.memory.add_out_for(rule);
  // A person has it tried once more (NoteProgress).
  const bool is_tried = left.words.start != nullptr;
  if (!is_tried && GaveUp(situation, left)) {
    left.memory.set_start_failed(situation.input.generation());
  }
  left.hazards = HazardsOf(situation, left);
  return left;
}

Decided DecideOne(Situation& situation, const Member& member, const Leaving& leaving) {
  Decided decided;
  if (!member.stays.empty()) {
    decided.move = StayAsItIs(member);
    return decided;
  }
  if (!leaving.leave) {
    decided.move = CourseOf(situation, member);
    std::string& reason = decided.move.reason;
    if (!leaving.kept.empty()) reason += absl::StrCat(reason.empty() ? "" : "; ", leaving.kept);
    return decided;
  }
  const Leave& leave = *leaving.leave;
  decided.move = {leave.to, leave.reason, "", leave.rules};
  if (leave.fenced_by_rule) decided.fenced_by = leave.rules;
  decided.start_failed = leave.start_failed;
  const bool is_on_its_way = leave.to == v1::DRAINING || leave.to == v1::READY;
  if (!is_on_its_way || member.node->connect() != v1::CONNECT_RESTS) return decided;
  // Where its Connect rests nobody is waited for, and it is told what follows at once.
  const Member left = AsLeft(situation, member, leave);
  const Move next = CourseOf(situation, left);
  if (next.state == leave.to) return decided;
  decided.move = next;
  if (next.reason.empty()) decided.move.reason = leave.reason;
  decided.start_failed |= left.memory.start_failed() == situation.input.generation();
  return decided;
}

}  // namespace

v1::Decision Decide(const v1::PlanInput& input) {
  Situation situation = LookAt(input);
  SayIdle(situation);
  const std::vector<Leaving> leaving = WhoLeaves(situation);
  std::vector<Decided> decided;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    decided.push_back(DecideOne(situation, situation.members[i], leaving[i]));
  }
  HoldBackStarts(situation, decided);
  SayUndecided(situation);
  SayTwoVersions(situation);
  return Write(situation, decided);
}

}  // namespace connect_ha
