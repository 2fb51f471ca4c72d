// Which phases a change is seen in, what happens meanwhile, and how it ends.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {

void World::CountInPhase(InPhase what) { ++(*counts_)[IndexOf(what, phase_)]; }

void World::CountChange(const v1::PlanMemory& before, const v1::Decision& decision) {
  const v1::RolloutStatus& status = decision.rollout();
  const bool is_new = status.phase() != phase_ || status.standing() != standing_;
  if (status.phase() != phase_) {
    Note(absl::StrCat("the change to generation ", status.generation(), " is in ",
                      v1::RolloutStatus::Phase_Name(status.phase()), ", ",
                      v1::RolloutStatus::Standing_Name(status.standing()), ": ", status.reason()));
  }
  phase_ = status.phase();
  standing_ = status.standing();
  if (is_new) CountInPhase(InPhase::kReached);
  if (is_new && standing_ == v1::RolloutStatus::HALTED) CountInPhase(InPhase::kHalted);
  const v1::RolloutStatus& newest = status.has_next() ? status.next() : status;
  const bool is_pinned =
      newest.phase() == v1::RolloutStatus::REFUSED && absl::StrContains(newest.reason(), "pinned");
  if (is_new && is_pinned) Count(Sometimes::kPinnedRefused);
  for (const v1::Rollout& ended : decision.ended()) {
    if (ended.end() == v1::Rollout::WENT_BACK) continue;  // it is counted below
    Count(ended.end() == v1::Rollout::DONE      ? Sometimes::kChangeDone
          : ended.end() == v1::Rollout::ABORTED ? Sometimes::kChangeAborted
                                                : Sometimes::kChangeSuperseded);
  }
  const v1::Rollout& was = before.rollout();
  const v1::Rollout& is = decision.remember().rollout();
  const bool stopped = was.generation() != 0 && !was.has_ended_at() && !was.has_in_force_at();
  if (stopped && is.generation() != was.generation()) Count(Sometimes::kChangeGoesBack);
  const bool begins = is.generation() != 0 && is.generation() != was.generation();
  if (begins && absl::StartsWith(is.approved_by(), "maintenance window")) {
    Count(Sometimes::kByWindow);
  }
  if (decision.remember().restarts_size() > before.restarts_size()) {
    Count(Sometimes::kRestartsForDrift);
  }
  for (const v1::Said& said : decision.said()) {
    if (absl::StrContains(said.text(), "restarts_per_hour")) Count(Sometimes::kRestartsUsedUp);
  }
}

}  // namespace connect_ha::simulation
