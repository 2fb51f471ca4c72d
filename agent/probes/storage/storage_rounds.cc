#include "agent/probes/storage/storage_rounds.h"

#include <optional>

#include "agent/probes/probe_cache.h"

namespace connect_ha {

absl::Status ReadStorageRounds(const ProbeInput& input, v1::Facts& facts) {
  const std::optional<KeptStorageRounds> kept = input.cache.storage_rounds.Get();
  if (!kept) return absl::OkStatus();
  for (const v1::StorageRound& round : kept->rounds) {
    *facts.mutable_storage()->add_rounds() = round;
  }
  if (!kept->error.empty()) MarkUnobserved(facts, "storage.rounds", kept->error);
  return absl::OkStatus();
}

}  // namespace connect_ha
