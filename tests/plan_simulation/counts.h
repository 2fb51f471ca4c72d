// What has to happen sometimes: a simulation that never gets somewhere proves nothing about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha::simulation {

enum class Sometimes : size_t {
  kEntered,
  kAdopted,
  kFencedByRule,
  kFencedByWord,
  kBackAfterFence,
  kDrained,
  kDrainEnded,
  kClosedByRule,
  kNoticeDrains,
  kStoppedByWord,
  kLastOneStays,
  kFencesUsedUp,
  kNobodyKnowsWho,
  kWaived,
  kUnfenced,
  kStartFailed,
  kReleased,
  kSaidGone,
  kReplaced,
  kOlderStoreSeen,
  kOvertaken,
  kDiedBetweenWrites,
  kOlderOrderRefused,
  kTwoUnderOneName,
  kWaitsForAll,
  kTwoVersionsKeptApart,
  kAllServeAtTheEnd,
  kRestsWithAReason,
  kChangeGoesBack,
  kChangeDone,
  kChangeAborted,
  kChangeSuperseded,
  kMigrates,
  kMigrationFails,
  kDatabasePutBack,
  kBackupWell,
  kBackupFailed,
  kByWindow,
  kSkipsLost,
  kReloads,
  kPinnedRefused,
  kRestartsForDrift,
  kRestartsUsedUp,
  kRestsAborted,
  kRestsHalted,
  kReturnsRunning,
  kStoppedForMaintenance,
  kStoppedBeforeItGoes,
  kGoesWhileItServes,
  kFencedByProof,
  kTellsOfEarlier,
  kCount,
};
const char* NameOf(Sometimes what);

// What happens in each phase of a change.
enum class InPhase : size_t {
  kReached,
  kHalted,
  kPaused,
  kAborted,
  kOlderStore,
  kCoordinatorDies,
  kNodeDies,
  kNodeCutOff,
  kCount,
};

// The first are Sometimes, then each InPhase in each RolloutStatus.Phase.
inline constexpr size_t kPhases = v1::RolloutStatus::Phase_ARRAYSIZE;
inline constexpr size_t kCounts =
    static_cast<size_t>(Sometimes::kCount) + static_cast<size_t>(InPhase::kCount) * kPhases;
using Counts = std::array<uint64_t, kCounts>;

size_t IndexOf(InPhase what, v1::RolloutStatus::Phase phase);
// "a coordinator dies in stopping"; "": that need not happen.
std::string NameOfCount(size_t index);

}  // namespace connect_ha::simulation
