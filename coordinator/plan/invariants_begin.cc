// What all nodes are to stop for.
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

// Of the newest, or of a start of it that may migrate the database.
uint64_t Asked(const v1::PlanInput& input) {
  return input.has_next() ? input.next().generation() : input.generation();
}

bool IsApproved(const v1::PlanInput& input) {
  const v1::Word* approval = WordOnAll(input, v1::Word::APPROVE, Asked(input));
  return (approval != nullptr && HoldsNow(input, *approval)) || IsWindowOpen(input);
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
  if (!IsBackedUp(input, input.next().spec(), input.next().generation())) {
    broken.push_back("all nodes are to stop before the backup was made");
  }
}

}  // namespace connect_ha
