// What is remembered of findings, a row for each rule, in a SQLite store. See store.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/store.pb.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace connect_ha {

absl::Status PutMemoryRow(Database& database, const v1::FindingMemory& memory);
absl::Status PutMemoryRows(Database& database, Time evaluated_at,
                           const std::vector<v1::FindingMemory>& changed,
                           const std::vector<std::string>& gone);
absl::StatusOr<Store::Memories> GetMemoryRows(Database& database);

}  // namespace connect_ha
