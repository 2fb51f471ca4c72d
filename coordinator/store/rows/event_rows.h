// The events in a SQLite store. See store.h.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/event.pb.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// Returns the id that it gave, and lets go of what is older than the newest 100,000 now and then.
absl::StatusOr<uint64_t> AddEventRow(Database& database, const v1::Event& event);
absl::Status AddEventRows(Database& database, const std::vector<v1::Event>& events);
absl::StatusOr<std::vector<v1::Event>> ListEventRows(Database& database, const EventQuery& query);
absl::StatusOr<std::vector<v1::Event>> ListLossRows(Database& database);

}  // namespace connect_ha
