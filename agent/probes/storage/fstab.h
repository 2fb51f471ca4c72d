// /etc/fstab (fstab(5)).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// The number of the line, from 1, that mounts something at this place: the first of several. 0:
// none does.
absl::StatusOr<unsigned> FindFstabLine(Host& host, const std::string& mount_point);

}  // namespace connect_ha
