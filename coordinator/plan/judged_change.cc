// What the invariants look at of a change of the cluster.
#include <algorithm>

#include "common/time.h"
#include "common/version.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {

const v1::Word* WordOnAll(const v1::PlanInput& input, v1::Word::Kind kind, uint64_t generation) {
  const v1::Word* latest = nullptr;
  for (const v1::Word& word : input.words()) {
    const bool over = word.has_until() && FromProto(word.until()) <= FromProto(input.now());
    const bool of_one = kind == v1::Word::APPROVE || kind == v1::Word::ABORT;
    if (word.kind() != kind || !word.node().empty() || over) continue;
    if (of_one && word.generation() != generation) continue;
    if (latest == nullptr || latest->number() < word.number()) latest = &word;
  }
  return latest;
}

bool IsWindowOpen(const v1::PlanInput& input) {
  const Time now = FromProto(input.now());
  return input.has_window() && FromProto(input.window().opens()) <= now &&
         now < FromProto(input.window().closes());
}

bool HoldsNow(const v1::PlanInput& input, const v1::Word& approval) {
  return approval.now() || !input.has_window();
}

bool IsBackedUp(const v1::PlanInput& input, const v1::ClusterSpec& spec, uint64_t generation) {
  if (!spec.database().has_backup_before_migration()) return true;
  const v1::BackupRun& run = input.memory().backup();
  return run.generation() == generation && run.has_ended_at() && run.went_well();
}

bool IsAllStopUnderWay(const v1::PlanInput& input) {
  const v1::Rollout& rollout = input.memory().rollout();
  return rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_opened_at() &&
         !rollout.has_ended_at();
}

bool IsToBeChanged(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::Convergence& convergence = node.convergence();
  if (convergence.generation() != input.generation()) return false;
  if (convergence.needs() >= v1::Change::RESTART) return true;
  const auto& changes = convergence.changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return change.needs() >= v1::Change::RESTART || !change.interrupts().empty();
  });
}

namespace {

uint64_t ReachedBy(const v1::PlanInput& input, const v1::PlanNode& node) {
  for (const v1::NodeMemory& memory : input.memory().nodes()) {
    if (memory.node() == node.brief().name()) return memory.reached();
  }
  return 0;
}

// Its agent has heard of what all stopped for, and its Connect has not stopped.
bool HasNotStopped(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::Convergence& convergence = node.convergence();
  const auto& changes = convergence.changes();
  const bool together =
      convergence.needs() == v1::Change::TOGETHER ||
      std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
        return change.needs() == v1::Change::TOGETHER || !change.interrupts().empty();
      });
  return together && convergence.generation() == input.generation() &&
         node.connect() == v1::CONNECT_RUNS && ReachedBy(input, node) < input.memory().not_before();
}

}  // namespace

bool RunsOlder(const v1::PlanInput& input, const v1::PlanNode& node) {
  const std::string& newest = input.memory().database().newest_version();
  const uint64_t holds = node.brief().reported_generation();
  const bool knows = node.own_lineage() && holds > 0;
  if (knows && (holds < input.memory().not_before() || HasNotStopped(input, node))) return true;
  return !newest.empty() && !node.running_version().empty() &&
         CompareVersions(node.running_version(), newest) < 0;
}

bool IsListed(const v1::PlanInput& input, const std::string& node) {
  const v1::Rollout& rollout = input.memory().rollout();
  if (rollout.has_ended_at()) return false;
  return std::any_of(
      rollout.nodes().begin(), rollout.nodes().end(),
      [&node](const v1::RolloutNode& one) { return one.node() == node && one.to_change(); });
}

}  // namespace connect_ha
