// errno as a status: what, on what, why.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace connect_ha {

// NotFound for ENOENT, ENOTDIR and ESRCH; PermissionDenied for EACCES and EPERM; Unavailable for
// the rest. "cannot read /etc/x: permission denied".
absl::Status ErrnoStatus(int error, const std::string& what);

// The same for a change, where the code also says whether trying again can help: ResourceExhausted
// for a full disk, AlreadyExists, FailedPrecondition for what another try meets again (a directory
// in the way, a read-only file system), Unavailable for what may pass by itself.
absl::Status ChangeStatus(int error, const std::string& what);

// ErrnoStatus made it of ESTALE, here or in a process that reads for us: what is mounted is not
// there any more, and does not come back by itself.
bool IsStale(const absl::Status& status);

}  // namespace connect_ha
