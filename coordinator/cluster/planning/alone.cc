#include "coordinator/cluster/planning/alone.h"

#include <algorithm>
#include <cstddef>

#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool GoesOnServing(const Judged& node) { return node.served && !node.leaves(); }

}  // namespace

std::vector<bool> NoOtherServes(const v1::PlanInput& input, const v1::Decision& decision) {
  std::vector<bool> alone(static_cast<size_t>(input.nodes_size()), true);
  std::vector<Judged> nodes;
  if (!GatherJudged(input, decision, nodes)) return alone;
  const auto serving = std::count_if(nodes.begin(), nodes.end(), GoesOnServing);
  for (size_t i = 0; i < nodes.size(); ++i) {
    alone[i] = serving - (GoesOnServing(nodes[i]) ? 1 : 0) == 0;
  }
  return alone;
}

}  // namespace connect_ha
