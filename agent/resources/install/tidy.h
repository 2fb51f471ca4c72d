#pragma once

#include "absl/status/status.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// When nothing differs any more: waits for an installer that an older specification started,
// removes what killed or superseded steps left (half unpacked archives, logs of installers), and
// bounds the cache. Cancelled: stopped while it waited.
absl::Status TidyUp(const ResourceContext& context, Progress& progress);

}  // namespace connect_ha
