#include "coordinator/plan/move/orders.h"

#include <cstdint>
#include <set>

#include "coordinator/plan/move/fences_made.h"

namespace connect_ha {
namespace {

bool IsGiven(const v1::Order& order) { return order.epoch() != 0 || order.serial() != 0; }

void Raise(v1::Order& order) {
  if (order.serial() < UINT64_MAX) {
    order.set_serial(order.serial() + 1);
  } else {
    order.set_epoch(order.epoch() + 1);
    order.set_serial(1);
  }
}

// The next of this epoch, or one above all that was given to the node.
v1::Order NextOrder(const v1::PlanInput& input, const Member& member) {
  v1::Order next;
  next.set_epoch(input.epoch());
  next.set_serial(input.memory().epoch() == input.epoch() ? input.memory().serial() + 1 : 1);
  v1::Order last = member.node->obeys();
  if (IsLater(member.memory.order(), last)) last = member.memory.order();
  if (!IsLater(next, last)) {
    next = last;
    Raise(next);
  }
  next.set_lineage(input.lineage());
  return next;
}

// An order that was given before this coordinator started, and that its node has not taken, is not
// given again before it is known what the node is. Nor is the one of a node that was declared gone:
// it may be back before anything was decided on that.
bool IsWithheld(const v1::PlanInput& input, const Member& member) {
  if (member.left_alone || member.memory.declared_gone()) return true;
  return !member.stays.empty() && member.memory.order().epoch() != input.epoch() &&
         IsLater(member.memory.order(), member.node->obeys());
}

v1::NodeMemory Moved(const Situation& situation, const Member& member, const Decided& decided) {
  const v1::PlanInput& input = situation.input;
  v1::NodeMemory memory = member.memory;
  const Move& move = decided.move;
  const bool release = move.state == v1::OBSERVED && member.words.release != nullptr;
  const bool closed = move.state == v1::SERVING && move.closed;
  const bool starts_anew = member.tries_again && move.state == v1::SERVING;
  const bool same = IsGiven(memory.order()) && memory.state() == move.state &&
                    memory.generation() == input.generation() && memory.release() == release &&
                    memory.closed() == closed && !starts_anew;
  if (!same) *memory.mutable_order() = NextOrder(input, member);
  // A Connect that is started anew has its time to answer.
  if (memory.state() != move.state || !memory.has_since() || starts_anew) {
    *memory.mutable_since() = ToProto(situation.moments.now());
  }
  memory.set_state(move.state);
  memory.set_generation(input.generation());
  memory.set_release(release);
  memory.set_closed(closed);
  memory.clear_out_for();
  for (const std::string& rule : move.out_for) memory.add_out_for(rule);
  if (decided.start_failed) memory.set_start_failed(input.generation());
  return memory;
}

void Assign(const v1::PlanInput& input, const Member& member, const Decided& decided,
            const v1::NodeMemory& memory, v1::NodeAssignment& assignment) {
  assignment.set_node(member.name());
  assignment.set_state(decided.move.state);
  assignment.set_generation(member.left_alone ? member.node->brief().reported_generation()
                                              : memory.generation());
  if (!IsWithheld(input, member)) {
    *assignment.mutable_order() = memory.order();
    assignment.mutable_order()->set_lineage(input.lineage());
  }
  assignment.set_reason(decided.move.reason);
  assignment.set_waits_for(decided.move.waits_for);
  if (memory.has_since()) *assignment.mutable_since() = memory.since();
  assignment.set_release(memory.release() && decided.move.state == v1::OBSERVED);
  assignment.set_closed(memory.closed() && decided.move.state == v1::SERVING);
}

// Its users have their time from when its gate is known to be closed, however late that is. Of one
// that was not heard since the coordinator started it is as it was.
void NoteGate(const Situation& situation, const Member& member, v1::NodeMemory& memory) {
  const bool drains = memory.state() == v1::DRAINING;
  if (drains && !member.node->heard()) return;
  const bool awaited = drains && member.node->brief().reported_state() != v1::DRAINING;
  if (drains && memory.gate_awaited() && !awaited) {
    *memory.mutable_since() = ToProto(situation.moments.now());
  }
  memory.set_gate_awaited(awaited);
}

void RememberOrders(const v1::PlanInput& input, v1::PlanMemory& memory) {
  memory.set_epoch(input.memory().epoch());
  memory.set_serial(input.memory().serial());
  for (const v1::NodeMemory& node : memory.nodes()) {
    if (node.order().epoch() != input.epoch()) continue;
    const bool newer = memory.epoch() != input.epoch() || node.order().serial() > memory.serial();
    if (!newer) continue;
    memory.set_epoch(input.epoch());
    memory.set_serial(node.order().serial());
  }
}

}  // namespace

v1::Decision Write(Situation& situation, const std::vector<Decided>& decided) {
  const v1::PlanInput& input = situation.input;
  v1::Decision decision;
  v1::PlanMemory& remember = *decision.mutable_remember();
  *remember.mutable_made_at() =
      input.memory().has_made_at() ? input.memory().made_at() : ToProto(situation.moments.now());
  remember.set_made_epoch(input.memory().has_made_at() ? input.memory().made_epoch()
                                                       : input.epoch());
  for (size_t i = 0; i < decided.size(); ++i) {
    const Member& member = situation.members[i];
    v1::NodeMemory& memory = *remember.add_nodes();
    memory = member.stays.empty() ? Moved(situation, member, decided[i]) : member.memory;
    NoteGate(situation, member, memory);
    Assign(input, member, decided[i], memory, *decision.add_assignments());
    for (const v1::Hazard& hazard : member.hazards) *decision.add_hazards() = hazard;
  }
  RememberFences(situation, decided, remember);
  RememberOrders(input, remember);
  if (situation.restored_at) {
    *remember.mutable_restored_at() = ToProto(*situation.restored_at);
    remember.set_restored_generation(situation.restored_generation);
  }
  if (situation.words.clock) *remember.mutable_clock() = ToProto(*situation.words.clock);
  return decision;
}

void Finish(Situation& situation, v1::Decision& decision) {
  for (const v1::Said& said : situation.said) *decision.add_said() = said;
  const std::set<uint64_t> ended(situation.words.ended.begin(), situation.words.ended.end());
  for (const uint64_t number : ended) decision.add_ended_words(number);
  if (situation.moments.wake()) *decision.mutable_wake_at() = ToProto(*situation.moments.wake());
}

}  // namespace connect_ha
