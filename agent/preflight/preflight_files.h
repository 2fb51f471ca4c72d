// What the preflight leaves for others: in memory and of this boot alone what it came to, for the
// agent to report (probes/connect/guard.h), and an override for one start; on disk, that an
// override let a start through.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

absl::Status StorePreflightResult(WritableHost& host, const v1::PreflightResult& result);

// For the next start, whatever is found then.
absl::Status GiveOverride(WritableHost& host, const v1::PreflightOverride& given);

// The override that is given, and with that used up: nullopt where there is none. `invocation`:
// systemd's id of this start ($INVOCATION_ID), for which it goes on to hold where the unit asks for
// the preflight more than once; "": for this call alone. An error: it could not be used up, and so
// does not hold.
absl::StatusOr<std::optional<v1::PreflightOverride>> TakeOverride(WritableHost& host,
                                                                  const std::string& invocation);

// `result`: of a start that an override let through. Of one start the first stays, where the unit
// asks for the preflight more than once. The disk may hang.
absl::Status KeepOverridden(WritableHost& host, const std::string& state_dir,
                            const v1::PreflightResult& result);

}  // namespace connect_ha
