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

bool IsStuck(const v1::PlanInput& input, const v1::PlanNode& node) {
  return SpeaksOfGeneration(input, node) && node.convergence().state() == v1::Convergence::STUCK;
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

uint64_t NewestGeneration(const v1::PlanInput& input) {
  return std::max(input.generation(), input.next().generation());
}

bool SpeaksOfNext(const v1::PlanInput& input, const v1::PlanNode& node) {
  // A specification that a person only thinks of has no generation.
  return input.has_next() && node.has_staged() &&
         (input.next().generation() == 0 ||
          node.staged().generation() == input.next().generation());
}

bool HoldsNewer(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool begun = !rollout.has_ended_at() && rollout.generation() == input.next().generation();
  return input.has_next() && !begun && node.own_lineage() &&
         node.brief().reported_generation() > input.generation();
}

v1::Change::Needs NeedsOfChange(const v1::Change& change) {
  if (change.needs() != v1::Change::NEEDS_UNSPECIFIED) return change.needs();
  if (change.interrupts().empty()) return v1::Change::NOTHING;
  return change.resource() == kConnectsPackage ? v1::Change::TOGETHER : v1::Change::RESTART;
}

v1::Change::Needs GreatestNeeds(v1::Change::Needs of_all,
                                const google::protobuf::RepeatedPtrField<v1::Change>& changes) {
  v1::Change::Needs greatest = std::max(of_all, v1::Change::NOTHING);
  for (const v1::Change& change : changes) greatest = std::max(greatest, NeedsOfChange(change));
  return greatest;
}

const v1::Change* FirstThatInterrupts(const v1::Convergence& convergence) {
  const auto& changes = convergence.changes();
  const auto found = std::find_if(changes.begin(), changes.end(), [](const v1::Change& change) {
    return NeedsOfChange(change) >= v1::Change::RESTART;
  });
  return found == changes.end() ? nullptr : &*found;
}

const std::string& VersionOf(const v1::PlanNode& node) {
  return node.running_version().empty() ? node.installed_version() : node.running_version();
}

}  // namespace connect_ha
