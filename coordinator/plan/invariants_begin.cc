// What all nodes are to stop for.
#include "common/time.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

// Of the newest, or of a start of it that may migrate the database.
uint64_t Asked(const v1::PlanInput& input) {
  return input.has_next() ? input.next().generation() : input.generation();
}

bool IsApproved(const v1::PlanInput& input) {
  if (WordOnAll(input, v1::Word::APPROVE, Asked(input)) != nullptr) return true;
  const Time now = FromProto(input.now());
  return input.has_window() && FromProto(input.window().opens()) <= now &&
         now < FromProto(input.window().closes());
}

bool IsBackedUp(const v1::PlanInput& input) {
  if (!input.next().spec().database().has_backup_before_migration()) return true;
  const v1::BackupRun& run = input.memory().backup();
  return run.generation() == input.next().generation() && run.has_ended_at() && run.went_well();
}

}  // namespace

void JudgeBegin(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  if (decision.has_back_up() && !IsApproved(input)) {
    broken.push_back("a backup is made for what nobody approved");
  }
  const v1::Rollout& before = input.memory().rollout();
  const v1::Rollout& after = decision.remember().rollout();
  const bool begins = after.generation() != 0 && after.kind() == v1::Rollout::TOGETHER &&
                      !after.has_in_force_at() && before.generation() != after.generation();
  if (!begins) return;
  if (!input.has_next() || !IsApproved(input) || after.approved_by().empty()) {
    broken.push_back("all nodes are to stop for what nobody approved");
  }
  if (!IsBackedUp(input)) broken.push_back("all nodes are to stop before the backup was made");
}

}  // namespace connect_ha
