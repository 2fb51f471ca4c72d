// The audit log in a SQLite store. See store.h, and common/audit_chain.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/audit.pb.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// Gives it its id and its place in the chain.
absl::Status AddAuditRow(Database& database, v1::AuditEntry entry);
absl::StatusOr<std::vector<v1::AuditEntry>> ListAuditRows(Database& database, uint64_t after_id,
                                                          uint32_t limit);
absl::StatusOr<std::optional<v1::AuditAnchor>> GetAuditAnchorRow(Database& database);
absl::StatusOr<uint64_t> NewestAuditRowId(Database& database);
absl::Status PruneAuditRows(Database& database, Time before);

}  // namespace connect_ha
