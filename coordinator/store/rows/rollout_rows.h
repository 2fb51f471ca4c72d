// Changes of the cluster that ended, in a SQLite store. See store.h.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// What is too old to be kept goes with it.
absl::Status AddRolloutRows(Database& database, const std::vector<v1::Rollout>& ended);
// Newest first.
absl::StatusOr<std::vector<v1::Rollout>> ListRolloutRows(Database& database, uint32_t limit);

}  // namespace connect_ha
