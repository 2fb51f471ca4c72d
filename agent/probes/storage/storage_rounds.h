// What is kept of the rounds of work on shared mounts, which agent/proof/storage_rounds.h makes.
#pragma once

#include "absl/status/status.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Fills Facts.storage.rounds; leaves it empty where nobody asked for rounds.
absl::Status ReadStorageRounds(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
