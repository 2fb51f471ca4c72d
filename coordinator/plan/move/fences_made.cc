#include "coordinator/plan/move/fences_made.h"

#include <algorithm>
#include <chrono>

namespace connect_ha {
namespace {

constexpr std::chrono::hours kFencesIn{1};

}  // namespace

std::set<std::string> FencedLately(const Situation& situation) {
  std::set<std::string> fenced;
  for (const v1::FenceMade& made : situation.input.memory().fences()) {
    if (situation.moments.now() < FromProto(made.at()) + kFencesIn) fenced.insert(made.node());
  }
  return fenced;
}

void RememberFences(Situation& situation, const std::vector<Decided>& decided,
                    v1::PlanMemory& memory) {
  const Time now = situation.moments.now();
  std::set<std::string> anew;
  for (size_t i = 0; i < decided.size(); ++i) {
    if (!decided[i].fenced_by.empty()) anew.insert(situation.members[i].name());
  }
  for (const v1::FenceMade& made : situation.input.memory().fences()) {
    const Time at = std::min(FromProto(made.at()), now);  // a clock that ran back
    if (anew.count(made.node()) > 0 || situation.moments.Reached(at + kFencesIn)) continue;
    v1::FenceMade& kept = *memory.add_fences();
    kept = made;
    *kept.mutable_at() = ToProto(at);
  }
  for (size_t i = 0; i < decided.size(); ++i) {
    if (decided[i].fenced_by.empty()) continue;
    v1::FenceMade& made = *memory.add_fences();
    made.set_node(situation.members[i].name());
    made.set_rule(decided[i].fenced_by.front());
    *made.mutable_at() = ToProto(now);
  }
}

}  // namespace connect_ha
