#include "coordinator/plan/decide.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"
#include "coordinator/plan/move/fence.h"
#include "coordinator/plan/move/orders.h"
#include "coordinator/plan/move/starts.h"
#include "coordinator/plan/record/progress.h"
#include "coordinator/plan/record/status.h"
#include "coordinator/plan/words/said.h"

namespace connect_ha {
namespace {

// As it is: what it was told, or, where that may not be what it goes by, what it says that it is.
Move StayAsItIs(const Member& member) {
  const v1::NodeState reported = member.node->brief().reported_state();
  const bool known = reported != v1::NODE_STATE_UNSPECIFIED && v1::NodeState_IsValid(reported);
  Move move;
  move.state = !member.left_alone ? member.memory.state() : known ? reported : v1::OBSERVED;
  move.waits_for = member.stays;
  move.closed = member.memory.closed();
  return move;
}

// Where it takes users, and is to be changed: what keeps it from its turn comes before whatever
// else it may wait for.
void AddWhyItWaits(const Member& member, const Leaving& leaving, Move& move) {
  const bool stays = move.state == member.position && !move.closed;
  if (stays && !leaving.waits.empty()) move.waits_for = leaving.waits;
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

Decided DecideOne(Situation& situation, const Change& change, const Member& member,
                  const Leaving& leaving) {
  Decided decided;
  if (!member.stays.empty()) {
    decided.move = StayAsItIs(member);
    return decided;
  }
  if (!leaving.leave) {
    decided.move = CourseOf(situation, change, member);
    AddWhyItWaits(member, leaving, decided.move);
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
  const Move next = CourseOf(situation, change, left);
  if (next.state == leave.to) return decided;
  decided.move = next;
  if (next.reason.empty()) decided.move.reason = leave.reason;
  decided.start_failed |= left.memory.start_failed() == situation.input.generation();
  return decided;
}

// A load balancer that asks Connect itself sees no gate.
void SayOpenAllTheSame(Situation& situation, const std::vector<Decided>& decided) {
  if (!AsksConnect(situation.input.spec())) return;
  for (size_t i = 0; i < decided.size(); ++i) {
    const Move& move = decided[i].move;
    if (move.state != v1::SERVING || !move.closed) continue;
    situation.Say(situation.members[i].name(),
                  "its gate is closed until it is known to be right, but the load balancer asks "
                  "Connect itself (load_balancer.health_check: connect): users may reach it before",
                  "have the load balancer ask the gate (health_check: gate)");
  }
}

// Stored with the same decision, and so before anybody is told.
void TellOfData(v1::Decision& decision) {
  const v1::DatabaseMemory& database = decision.remember().database();
  for (v1::NodeAssignment& one : *decision.mutable_assignments()) {
    if (database.has_restored()) *one.mutable_database_restored() = database.restored();
    one.set_not_before(decision.remember().not_before());
  }
}

}  // namespace

v1::Decision Decide(const v1::PlanInput& input) {
  Situation situation = LookAt(input);
  SayIdle(situation);
  Change change = LookAtChange(situation);
  const std::vector<Leaving> leaving = WhoLeaves(situation, change);
  std::vector<Decided> decided;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    decided.push_back(DecideOne(situation, change, situation.members[i], leaving[i]));
  }
  HoldBackStarts(situation, change, decided);
  change.to_note = NoteFirst(situation, decided);
  // That may have another version, which was not judged by this one.
  if (change.begins(input)) change.to_note.clear();
  SayUndecided(situation);
  SayTwoVersions(situation);
  SayOpenAllTheSame(situation, decided);
  v1::Decision decision = Write(situation, decided);
  Advance(situation, change, decision);
  TellOfData(decision);
  const v1::RolloutStatus status = StatusOf(situation, change, decision);
  if (status.phase() != v1::RolloutStatus::PHASE_UNSPECIFIED) *decision.mutable_rollout() = status;
  Finish(situation, decision);
  return decision;
}

}  // namespace connect_ha
