// The chain of the audit log: each entry holds its own digest and that of the one before it, so
// that none can be changed, left out or put in between without its showing. It does not show that
// all of it was made anew by somebody who can write the store: for that, keep a digest elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "connect_ha/v1/audit.pb.h"

namespace connect_ha {

// AuditEntry.previous_digest of the first entry: 32 zero bytes.
std::string NoAuditDigest();

// AuditEntry.digest, 32 bytes, of an entry whose other fields are as they are to be.
std::string AuditDigest(const v1::AuditEntry& entry);

// OK: the entries, oldest first, are unbroken from the first one that the log ever had, or, where
// old ones were let go of, from the anchor on. DataLoss names the first that is not in its place or
// is not what was written. OK of no entries: whether there should be some, the newest id says.
absl::Status AuditHolds(const std::vector<v1::AuditEntry>& entries,
                        const std::optional<v1::AuditAnchor>& anchor);

}  // namespace connect_ha
