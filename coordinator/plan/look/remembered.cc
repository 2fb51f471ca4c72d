#include "coordinator/plan/look/remembered.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/look/generation.h"

namespace connect_ha {

bool HasTaken(const v1::PlanNode& node) {
  return node.obeys().epoch() != 0 || node.obeys().serial() != 0;
}

namespace {

bool IsState(v1::NodeState state) {
  return state != v1::NODE_STATE_UNSPECIFIED && v1::NodeState_IsValid(state);
}

v1::NodeState ReportedBy(const v1::PlanNode& node) {
  return IsState(node.brief().reported_state()) ? node.brief().reported_state() : v1::OBSERVED;
}

// Of one that the memory does not have.
v1::NodeMemory Begun(const v1::PlanNode& node) {
  v1::NodeMemory memory;
  memory.set_node(node.brief().name());
  memory.set_state(HasTaken(node) ? ReportedBy(node) : v1::OBSERVED);
  if (HasTaken(node)) *memory.mutable_order() = node.obeys();
  memory.set_generation(node.brief().reported_generation());
  // Why its gate is closed is not known: it is looked at before it opens.
  memory.set_closed(memory.state() == v1::SERVING && node.gate() == v1::GATE_CLOSED);
  return memory;
}

bool IsGiven(const v1::NodeMemory& memory) {
  return memory.order().epoch() != 0 || memory.order().serial() != 0;
}

// What it obeys was given by a coordinator that did not remember it yet.
bool IsOfBefore(const v1::PlanMemory& memory, const v1::PlanNode& node) {
  return !memory.has_made_at() || node.obeys().epoch() < memory.made_epoch();
}

// It obeys what this store never gave.
bool IsBeyond(const v1::PlanMemory& memory, const Member& member) {
  const v1::PlanNode& node = *member.node;
  return node.heard() && !node.odd() && HasTaken(node) && !IsOfBefore(memory, node) &&
         IsLater(node.obeys(), member.memory.order());
}

// Whom the copy has as gone may have been back since, and run where nobody hears it.
void EndGone(Situation& situation) {
  for (const v1::Word& word : situation.input.words()) {
    if (word.kind() == v1::Word::GONE) situation.words.ended.push_back(word.number());
  }
  for (Member& member : situation.members) member.words.gone = nullptr;
}

}  // namespace

v1::NodeState PositionOf(const v1::PlanNode& node, const v1::NodeMemory& memory, uint64_t epoch) {
  if (!node.heard()) return memory.state();
  // One that holds nothing, as a new machine does, is not to serve by what it was told before.
  if (!HasTaken(node) && memory.state() == v1::SERVING) return v1::OBSERVED;
  const bool of_before = memory.order().epoch() != epoch && IsLater(memory.order(), node.obeys());
  return of_before ? ReportedBy(node) : memory.state();
}

void Remember(const v1::PlanInput& input, Situation& situation) {
  std::map<std::string, const v1::NodeMemory*> remembered;
  for (const v1::NodeMemory& memory : input.memory().nodes()) remembered[memory.node()] = &memory;
  for (const v1::PlanNode& node : input.nodes()) {
    Member& member = situation.members.emplace_back();
    member.node = &node;
    const auto found = remembered.find(member.name());
    if (found != remembered.end()) member.memory = *found->second;
    if (!IsGiven(member.memory)) {
      const v1::NodeMemory begun = Begun(node);
      member.memory.set_node(begun.node());
      member.memory.set_state(begun.state());
      member.memory.set_generation(begun.generation());
      member.memory.set_closed(begun.closed());
      if (!member.memory.has_since()) *member.memory.mutable_since() = input.now();
      if (IsOfBefore(input.memory(), node)) *member.memory.mutable_order() = begun.order();
    }
    // A clock that ran back.
    if (FromProto(member.memory.since()) > situation.moments.now() + kClockSetBack) {
      *member.memory.mutable_since() = input.now();
    }
    const auto words = situation.words.of.find(member.name());
    if (words != situation.words.of.end()) member.words = words->second;
    if (member.words.gone != nullptr) member.memory.set_declared_gone(true);
  }
}

// What was applied since it was found is not in force at once: it lets the nodes go all the same.
void FindRestored(Situation& situation) {
  const v1::PlanMemory& memory = situation.input.memory();
  const bool applied_since =
      memory.has_restored_at() && NewestGeneration(situation.input) > memory.restored_generation();
  if (memory.has_restored_at() && !applied_since) {
    situation.restored_at = FromProto(memory.restored_at());
    situation.restored_generation = memory.restored_generation();
  }
  std::set<std::string> beyond;
  for (Member& member : situation.members) {
    if (!IsBeyond(memory, member)) continue;
    beyond.insert(member.name());
    if (applied_since) {
      const v1::NodeMemory before = member.memory;
      member.memory = Begun(*member.node);
      member.memory.set_reached(before.reached());
      if (before.has_reached_at()) *member.memory.mutable_reached_at() = before.reached_at();
      member.memory.set_declared_gone(before.declared_gone());
      *member.memory.mutable_since() = situation.input.now();
      member.begins_anew = true;
    } else if (!situation.restored_at) {
      situation.restored_at = situation.moments.now();
      situation.restored_generation = NewestGeneration(situation.input);
    }
  }
  if (!situation.restored_at) return;
  if (!memory.has_restored_at()) EndGone(situation);
  const std::string nodes = beyond.empty() ? "" : absl::StrCat(": ", absl::StrJoin(beyond, ", "));
  situation.Say("", absl::StrCat(kOlderStore, nodes),
                "look at what each node does, and at what people said that holds (connect-ha "
                "status), then: connect-ha apply");
}

}  // namespace connect_ha
