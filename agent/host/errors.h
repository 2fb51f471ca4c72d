// errno as a status: what, on what, why.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace connect_ha {

// NotFound for ENOENT, ENOTDIR and ESRCH; PermissionDenied for EACCES and EPERM; Unavailable for
// the rest. "cannot read /etc/x: permission denied".
absl::Status ErrnoStatus(int error, const std::string& what);

}  // namespace connect_ha
