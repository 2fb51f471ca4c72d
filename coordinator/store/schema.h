#pragma once

#include "absl/status/status.h"
#include "common/time.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// Brings the store to the newest schema this program knows, one transaction a step; `now` is when
// that is done. FailedPrecondition when a newer program wrote it.
absl::Status MigrateSchema(Database& database, Time now);

// The newest schema this program knows (PRAGMA user_version).
int SchemaVersion();

}  // namespace connect_ha
