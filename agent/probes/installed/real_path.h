// The file behind a path that may lead through symbolic links.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// `path` (absolute) without any link in it. NotFound: it leads nowhere, or in a circle.
absl::StatusOr<std::string> RealPath(Host& host, const std::string& path);

}  // namespace connect_ha
