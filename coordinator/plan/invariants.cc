#include "coordinator/plan/invariants.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"
#include "coordinator/plan/states.h"

namespace connect_ha {
namespace {

void JudgeOrder(const Judged& judged, Complaints& broken) {
  const v1::Order& given = judged.given.order();
  if (FindState(judged.given.state()) == nullptr) {
    broken.push_back(absl::StrCat(judged.name(), " is assigned what is no state"));
  }
  if (!HasOrder(given)) return;
  if (IsAfter(judged.node->obeys(), given)) {
    broken.push_back(absl::StrCat(judged.name(), " is given an order below the one it obeys"));
  }
  const bool remembered = !IsAfter(given, judged.after.order()) &&
                          !IsAfter(judged.after.order(), given) &&
                          judged.after.state() == judged.given.state() &&
                          judged.after.closed() == judged.given.closed() &&
                          judged.after.generation() == judged.given.generation();
  if (!remembered) {
    broken.push_back(absl::StrCat(judged.name(), " is given an order that is not remembered"));
  }
  if (judged.moved || !HasOrder(judged.before.order())) return;
  if (judged.before.state() != judged.given.state() &&
      !IsAfter(judged.node->obeys(), judged.before.order())) {
    broken.push_back(absl::StrCat(judged.name(), " is given another state under an old order"));
  }
}

// Whoever lives, as far as is known, was heard since the coordinator started.
bool AllHeard(const v1::PlanInput& input) {
  for (const v1::PlanNode& node : input.nodes()) {
    if (!node.brief().has_last_seen() || node.heard() || node.brief().lost()) continue;
    if (WordOn(input, node.brief().name(), v1::Word::GONE) == nullptr) return false;
  }
  return true;
}

void JudgeWhoMoves(const v1::PlanInput& input, const v1::Decision& decision, const Judged& judged,
                   Complaints& broken) {
  if (!judged.moved) return;
  const v1::PlanNode& node = *judged.node;
  if (!AllHeard(input)) {
    broken.push_back(absl::StrCat(judged.name(), " is moved before every live node was heard"));
  }
  if (decision.remember().has_restored_at()) {
    broken.push_back(absl::StrCat(judged.name(), " is moved by a store that is an older copy"));
  }
  if (!node.heard() || !node.fresh() || node.brief().claimants() > 1 || node.odd() ||
      node.ahead()) {
    broken.push_back(absl::StrCat(judged.name(), " is moved, though it is not known how it is"));
  }
  const v1::NodeState to = judged.given.state();
  const bool by_way = IsWay(judged.before.state(), to) ||
                      IsWay(node.brief().reported_state(), to) ||
                      (!HasOrder(node.obeys()) && IsWay(v1::OBSERVED, to));
  if (!by_way) broken.push_back(absl::StrCat(judged.name(), " is moved where no way leads"));
}

void JudgeWhatIsAllowed(const v1::PlanInput& input, const Judged& judged, Complaints& broken) {
  if (!judged.moved) return;
  const v1::PlanNode& node = *judged.node;
  const v1::NodeState to = judged.given.state();
  const bool enforced = input.generation() > 0 && input.spec().enforcement() == v1::ENFORCE &&
                        node.brief().allow() != v1::ALLOW_OBSERVE;
  if (!enforced && to != v1::OBSERVED) {
    broken.push_back(absl::StrCat(judged.name(), " is changed, though it may only be observed"));
  }
  const bool serves = node.can_serve() && node.brief().allow() == v1::ALLOW_SERVE;
  const bool prepares = to == v1::PREPARING || to == v1::READY;
  if (!serves && to != v1::OBSERVED && !prepares) {
    broken.push_back(
        absl::StrCat(judged.name(), " is to start or stop Connect, which it does not allow"));
  }
  if (!serves && prepares && node.connect() != v1::CONNECT_RESTS && judged.before.state() != to &&
      node.brief().reported_state() != to) {
    broken.push_back(absl::StrCat(judged.name(), " is changed under a Connect that may run"));
  }
}

void JudgeMemory(const v1::PlanInput& input, const v1::Decision& decision, const Judged& judged,
                 Complaints& broken) {
  if (judged.after.reached() < judged.before.reached()) {
    broken.push_back(absl::StrCat("what ", judged.name(), " has reached is forgotten"));
  }
  if (judged.given.release() && judged.given.state() != v1::OBSERVED) {
    broken.push_back(absl::StrCat(judged.name(), " is released, and not let go"));
  }
  const bool wakes_before =
      decision.has_wake_at() && FromProto(decision.wake_at()) <= FromProto(input.now());
  if (wakes_before) broken.push_back("the next decision is due before this one");
}

}  // namespace

std::vector<std::string> Broken(const v1::PlanInput& input, const v1::Decision& decision) {
  Complaints broken;
  std::vector<Judged> nodes;
  if (!GatherJudged(input, decision, nodes)) return {"not every node is assigned one state"};
  for (const Judged& judged : nodes) {
    JudgeOrder(judged, broken);
    JudgeWhoMoves(input, decision, judged, broken);
    JudgeWhatIsAllowed(input, judged, broken);
    JudgeMemory(input, decision, judged, broken);
  }
  JudgeLeaving(input, nodes, broken);
  JudgeFences(input, decision, nodes, broken);
  JudgeEntering(input, nodes, broken);
  JudgeChange(input, decision, nodes, broken);
  JudgeBegin(input, decision, broken);
  JudgeStarts(input, decision, nodes, broken);
  JudgeMigrating(input, decision, nodes, broken);
  JudgeTurns(input, decision, nodes, broken);
  std::set<std::string> once;
  std::vector<std::string> complaints;
  for (const std::string& one : broken) {
    if (once.insert(one).second) complaints.push_back(one);
  }
  return complaints;
}

}  // namespace connect_ha
