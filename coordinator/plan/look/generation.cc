#include "coordinator/plan/look/generation.h"

#include <algorithm>

namespace connect_ha {

bool HoldsGeneration(const v1::PlanInput& input, const v1::PlanNode& node) {
  return input.generation() > 0 && node.own_lineage() &&
         node.brief().reported_generation() == input.generation();
}

bool SpeaksOfGeneration(const v1::PlanInput& input, const v1::PlanNode& node) {
  return node.has_convergence() && node.convergence().generation() == input.generation() &&
         node.convergence().state() != v1::Convergence::LOOKING;
}

bool HasConverged(const v1::PlanInput& input, const v1::PlanNode& node) {
  return HoldsGeneration(input, node) && SpeaksOfGeneration(input, node) &&
         node.convergence().state() == v1::Convergence::CONVERGED;
}

bool IsReady(const v1::PlanInput& input, const v1::PlanNode& node) {
  if (!HoldsGeneration(input, node)) return false;
  if (SpeaksOfGeneration(input, node)) return HasConverged(input, node);
  return node.brief().reported_state() == v1::READY;
}

const v1::Change* FirstThatInterrupts(const v1::Convergence& convergence) {
  const auto& changes = convergence.changes();
  const auto found = std::find_if(changes.begin(), changes.end(), [](const v1::Change& change) {
    return !change.interrupts().empty();
  });
  return found == changes.end() ? nullptr : &*found;
}

const std::string& VersionOf(const v1::PlanNode& node) {
  return node.running_version().empty() ? node.installed_version() : node.running_version();
}

}  // namespace connect_ha
