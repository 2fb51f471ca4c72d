// The generations of the specification in a SQLite store. See store.h.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/spec.pb.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// Aborted: `newest` is not the newest. FailedPrecondition: the generation is not above it.
absl::Status AddSpecRow(Database& database, const v1::SpecGeneration& spec, uint64_t newest);
absl::StatusOr<v1::SpecGeneration> GetSpecRow(Database& database, uint64_t generation);
absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecRows(Database& database);

}  // namespace connect_ha
