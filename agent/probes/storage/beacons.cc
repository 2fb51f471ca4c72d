#include "agent/probes/storage/beacons.h"

#include <optional>

#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"

namespace connect_ha {

absl::Status ReadBeacons(const ProbeInput& input, v1::Facts& facts) {
  const std::optional<absl::StatusOr<v1::BeaconsFacts>> kept = input.cache.beacons.Get();
  if (!kept) return absl::OkStatus();
  Observe(facts, "beacons", *kept,
          [&facts](const v1::BeaconsFacts& beacons) { *facts.mutable_beacons() = beacons; });
  return absl::OkStatus();
}

}  // namespace connect_ha
