// Who leaves service for a change of the cluster.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

size_t Minimum(const v1::PlanInput& input) {
  const v1::NodesSpec& spec = input.spec().nodes();
  return std::max<size_t>(1, spec.has_minimum_serving() ? spec.minimum_serving() : 1);
}

bool StillServes(const Judged& judged) { return judged.served && TakesUsers(judged.given.state()); }

// For nothing else than a change.
bool LeavesForChange(const v1::PlanInput& input, const Judged& judged) {
  return judged.moved && judged.leaves() && !IsWanted(input, judged) &&
         judged.after.out_for_size() == 0 && judged.node->start_failed().empty() &&
         !RunsOlder(input, *judged.node);
}

}  // namespace

void JudgeTurns(const v1::PlanInput& input, const v1::Decision& decision,
                const std::vector<Judged>& nodes, Complaints& broken) {
  const auto left = static_cast<size_t>(std::count_if(nodes.begin(), nodes.end(), StillServes));
  const v1::Word* approval = WordOnAll(input, v1::Word::APPROVE, input.generation());
  const bool downtime = IsAllStopUnderWay(input) || (approval != nullptr && approval->downtime());
  const uint64_t of =
      IsAllStopUnderWay(input) ? input.memory().rollout().generation() : input.generation();
  // Once all had stopped, nobody runs on, whatever becomes of it.
  const bool must_stop = IsAllStopUnderWay(input) && input.memory().rollout().has_in_force_at();
  const bool held = WordOnAll(input, v1::Word::PAUSE, 0) != nullptr ||
                    WordOnAll(input, v1::Word::ABORT, of) != nullptr;
  const v1::RolloutStatus& status = decision.rollout();
  const bool halted = status.standing() == v1::RolloutStatus::HALTED && status.generation() == of;
  for (const Judged& judged : nodes) {
    if (!LeavesForChange(input, judged)) continue;
    if (!downtime && left < Minimum(input)) {
      broken.push_back(absl::StrCat(judged.name(), " leaves for a change, and too few are left"));
    }
    if ((held || halted) && !must_stop) {
      broken.push_back(absl::StrCat(judged.name(), " leaves for a change that does not go on"));
    }
  }
}

}  // namespace connect_ha
