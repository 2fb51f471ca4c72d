// What has to happen sometimes: a simulation that never gets somewhere proves nothing about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

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
  kCount,
};
const char* NameOf(Sometimes what);

using Counts = std::array<uint64_t, static_cast<size_t>(Sometimes::kCount)>;

}  // namespace connect_ha::simulation
