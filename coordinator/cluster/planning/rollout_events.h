// What is told of a change of the cluster (v1::Rollout), and what the audit log says of it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// Where a change was, as told last.
struct RolloutTold {
  uint64_t generation = 0;
  v1::RolloutStatus::Phase phase = v1::RolloutStatus::PHASE_UNSPECIFIED;
  v1::RolloutStatus::Standing standing = v1::RolloutStatus::STANDING_UNSPECIFIED;
  std::string cause;  // where it does not go on: which node, or what, holds it up

  bool operator==(const RolloutTold&) const = default;
};
RolloutTold ToldOf(const v1::RolloutStatus& status);

// ROLLOUT_CHANGED where the phase, the standing or its cause is another one. After a restart
// (nullopt) what is under way is told once more: it may have come to that meanwhile.
std::optional<v1::Event> RolloutChanged(const std::optional<RolloutTold>& told,
                                        const v1::RolloutStatus& status, Time now);
// BACKUP_RAN where it is known since this decision that the command ended.
std::optional<v1::Event> BackupRan(const v1::PlanMemory& before, const v1::PlanMemory& remember,
                                   Time now);
// ROLLOUT_BEGUN and ROLLOUT_ENDED, by the coordinator: by whose approval is said in the text.
std::vector<v1::AuditEntry> RolloutAudits(const v1::PlanMemory& before,
                                          const v1::Decision& decision, Time now);

}  // namespace connect_ha
