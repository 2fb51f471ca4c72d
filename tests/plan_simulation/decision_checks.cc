#include "tests/plan_simulation/decision_checks.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "tests/plan_simulation/renamed.h"

namespace connect_ha::simulation {
namespace {

const v1::NodeMemory* Remembered(const v1::PlanInput& input, const std::string& name) {
  for (const v1::NodeMemory& node : input.memory().nodes()) {
    if (node.node() == name) return &node;
  }
  return nullptr;
}

bool HasGone(const v1::PlanInput& input, const std::string& name) {
  for (const v1::Word& word : input.words()) {
    if (word.kind() == v1::Word::GONE && word.node() == name) return true;
  }
  return false;
}

// All nodes are, or what this one has to change takes a restart.
bool IsToBeChanged(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool together = rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_ended_at();
  return together || node.convergence().needs() >= v1::Change::RESTART;
}

// By a person, by EC2, for a change, or since its Connect does not start.
bool IsAskedToLeave(const v1::PlanInput& input, const v1::PlanNode& node) {
  if (node.notices_size() > 0 || !node.start_failed().empty()) return true;
  if (IsToBeChanged(input, node)) return true;
  return std::any_of(input.words().begin(), input.words().end(), [&node](const v1::Word& word) {
    const bool out = word.kind() == v1::Word::DRAIN || word.kind() == v1::Word::STOP ||
                     word.kind() == v1::Word::FENCE;
    return out && word.node() == node.brief().name();
  });
}

// A coordinator whose clock was set back gives orders of the epoch that its nodes go by. Until one
// is taken, what is decided on its node is decided anew.
bool HasLaterEpoch(const v1::PlanInput& input, const v1::PlanMemory& memory) {
  return std::any_of(
      memory.nodes().begin(), memory.nodes().end(),
      [&input](const v1::NodeMemory& node) { return node.order().epoch() > input.epoch(); });
}

// An older copy of the store: what a node goes by is taken over with one decision, and decided on
// with the next.
bool IsOlderCopy(const v1::PlanInput& input) {
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    const v1::NodeMemory* memory = Remembered(input, node.brief().name());
    if (memory == nullptr || node.obeys().lineage() != memory->order().lineage()) return false;
    return std::make_pair(node.obeys().epoch(), node.obeys().serial()) >
           std::make_pair(memory->order().epoch(), memory->order().serial());
  });
}

std::string StateText(v1::NodeState state) { return v1::NodeState_Name(state); }

bool IsSameOrder(const v1::Order& a, const v1::Order& b) {
  return a.epoch() == b.epoch() && a.serial() == b.serial();
}

// "": they say the same of their nodes, but for the names.
std::string Difference(const v1::NodeAssignment& a, const v1::NodeAssignment& b) {
  if (a.state() != b.state()) {
    const auto text = [](const v1::NodeAssignment& one) {
      return absl::StrCat(StateText(one.state()), " (", one.reason(), " | ", one.waits_for(), ")");
    };
    return absl::StrCat(a.node(), ": ", text(a), ", then ", text(b));
  }
  if (a.generation() != b.generation() || a.release() != b.release() || a.closed() != b.closed() ||
      a.has_order() != b.has_order() || !IsSameOrder(a.order(), b.order())) {
    return absl::StrCat(a.node(), ": another order: ", a.order().epoch(), ".", a.order().serial(),
                        ", then ", b.order().epoch(), ".", b.order().serial());
  }
  return "";
}

std::string Difference(const v1::Decision& a, const v1::Decision& b) {
  if (a.assignments_size() != b.assignments_size()) return "another number of nodes";
  for (int i = 0; i < a.assignments_size(); ++i) {
    const std::string difference = Difference(a.assignments(i), b.assignments(i));
    if (!difference.empty()) return difference;
  }
  return "";
}

bool Moves(const v1::PlanInput& input, const v1::NodeAssignment& assignment) {
  const v1::NodeMemory* memory = Remembered(input, assignment.node());
  return memory != nullptr && memory->order().epoch() != 0 && assignment.has_order() &&
         memory->state() != assignment.state();
}

// What is remembered of the change of the cluster, but for what is only told of it.
std::string ChangeText(const v1::PlanMemory& memory, uint64_t in_force) {
  v1::PlanMemory change;
  change.set_generation(memory.generation() == 0 ? in_force : memory.generation());
  if (memory.has_rollout()) *change.mutable_rollout() = memory.rollout();
  change.mutable_rollout()->clear_nodes();
  change.mutable_rollout()->clear_remarks();
  *change.mutable_database() = memory.database();
  return change.SerializeAsString();
}

// It adds to what is remembered of the change: nodes are moved by that with the next decision,
// which is due at once.
std::string WhyNotSoon(const v1::PlanInput& input, const v1::Decision& decision) {
  const bool soon =
      decision.has_wake_at() && decision.wake_at().seconds() - input.now().seconds() <= 1;
  return soon ? "" : "what it adds to the change moves nodes, and it does not say when";
}

}  // namespace

std::string CheckSame(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision) {
  const v1::Decision again = plan(input);
  if (again.SerializeAsString() == decision.SerializeAsString()) return "";
  return absl::StrCat("asked again it says something else: ", Difference(decision, again));
}

std::string CheckSettled(const Plan& plan, const v1::PlanInput& input,
                         const v1::Decision& decision) {
  if (HasLaterEpoch(input, decision.remember()) || IsOlderCopy(input)) return "";
  const uint64_t in_force = input.generation();
  if (ChangeText(input.memory(), in_force) != ChangeText(decision.remember(), in_force)) {
    return WhyNotSoon(input, decision);
  }
  v1::PlanInput stored = input;
  *stored.mutable_memory() = decision.remember();
  stored.clear_words();
  for (const v1::Word& word : input.words()) {
    bool ended = false;
    for (const uint64_t number : decision.ended_words()) ended = ended || number == word.number();
    if (!ended) *stored.add_words() = word;
  }
  const std::string difference = Difference(decision, plan(stored));
  return difference.empty() ? "" : absl::StrCat("once stored, it goes on: ", difference);
}

std::string CheckWake(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision) {
  const Time now = FromProto(input.now());
  Time later = now + std::chrono::hours(1);
  if (decision.has_wake_at()) {
    later = FromProto(decision.wake_at()) - std::chrono::microseconds(1);
  }
  if (later <= now) return "";
  v1::PlanInput waited = input;
  *waited.mutable_now() = ToProto(later);
  const std::string difference = Difference(decision, plan(waited));
  return difference.empty() ? "" : absl::StrCat("at ", FormatUtc(later), ", unasked: ", difference);
}

std::string CheckRenamed(const Plan& plan, const v1::PlanInput& input,
                         const v1::Decision& decision) {
  const v1::Decision renamed = plan(Renamed(input));
  std::map<std::string, const v1::NodeAssignment*> by_name;
  for (const v1::NodeAssignment& assignment : renamed.assignments()) {
    by_name[assignment.node()] = &assignment;
  }
  for (const v1::NodeAssignment& assignment : decision.assignments()) {
    const auto found = by_name.find(Renamed(assignment.node()));
    if (found == by_name.end()) return absl::StrCat(assignment.node(), " is none once renamed");
    const std::string difference = Difference(assignment, *found->second);
    if (!difference.empty()) return absl::StrCat("with other names: ", difference);
  }
  const std::string otherwise = RememberedOtherwise(decision, renamed);
  return otherwise.empty() ? "" : absl::StrCat("with other names ", otherwise);
}

std::string CheckUnknown(const Plan& plan, const v1::PlanInput& input, const v1::Decision& decision,
                         int node) {
  if (input.spec().enforcement() != v1::ENFORCE || node >= decision.assignments_size()) return "";
  const v1::NodeAssignment& plain = decision.assignments(node);
  const v1::NodeMemory* memory = Remembered(input, plain.node());
  if (memory == nullptr || memory->order().epoch() == 0) return "";
  v1::PlanInput unknown = input;
  for (v1::NodeRule& line : *unknown.mutable_nodes(node)->mutable_rules()) {
    line.set_outcome(v1::UNKNOWN);
    line.set_undecided(false);
  }
  const auto is_a_move = [&](const v1::NodeAssignment& assignment) {
    return assignment.has_order() && assignment.state() != memory->state() &&
           assignment.state() != plain.state() &&
           assignment.state() != input.nodes(node).brief().reported_state();
  };
  // Who is asked to leave may do so where another, which counted on it, now may not.
  const bool is_asked = IsAskedToLeave(input, input.nodes(node));
  const v1::Decision by_rules = is_asked ? decision : plan(unknown);
  if (is_a_move(by_rules.assignments(node))) {
    return absl::StrCat(plain.node(), " would be ", StateText(plain.state()), ", and is to be ",
                        StateText(by_rules.assignments(node).state()),
                        " where its rules cannot be judged");
  }
  v1::PlanNode* blind = unknown.mutable_nodes(node);
  blind->set_fresh(false);
  blind->set_not_fresh("its facts are too old");
  blind->set_connect(v1::CONNECT_UNKNOWN);
  blind->set_gate(v1::GATE_UNKNOWN);
  blind->mutable_brief()->clear_facts();
  blind->clear_jobs();
  blind->clear_notices();
  const v1::Decision blindly = plan(unknown);
  if (Moves(unknown, blindly.assignments(node)) && is_a_move(blindly.assignments(node))) {
    return absl::StrCat(plain.node(), " is to be ", StateText(blindly.assignments(node).state()),
                        " where nothing is known of it");
  }
  return "";
}

std::string CheckMoves(const v1::PlanInput& input, const v1::Decision& decision) {
  if (input.spec().enforcement() != v1::ENFORCE) return "";
  std::string awaited;
  for (const v1::PlanNode& node : input.nodes()) {
    const bool lives = node.brief().has_last_seen() && !node.brief().lost();
    if (lives && !node.heard() && !HasGone(input, node.brief().name())) {
      awaited = node.brief().name();
    }
  }
  for (int i = 0; i < decision.assignments_size() && i < input.nodes_size(); ++i) {
    const v1::NodeAssignment& assignment = decision.assignments(i);
    if (!Moves(input, assignment)) continue;
    // What was told and not taken may be taken back to what the node is.
    const v1::PlanNode& node = input.nodes(i);
    if (assignment.state() == node.brief().reported_state()) continue;
    const std::string what =
        absl::StrCat(assignment.node(), " is moved to ", StateText(assignment.state()));
    if (!awaited.empty()) return absl::StrCat(what, " before ", awaited, " was heard");
    if (!node.heard() || !node.fresh()) return absl::StrCat(what, ", of which nothing is known");
    if (node.odd() || node.ahead()) return absl::StrCat(what, ", which goes by other orders");
    if (node.brief().claimants() > 1) return absl::StrCat(what, ", which are two machines");
  }
  return "";
}

}  // namespace connect_ha::simulation
