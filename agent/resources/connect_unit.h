#pragma once

#include "absl/status/status.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// OK when Connect's unit is masked and inactive, so that nothing that a package's script does can
// start it. FailedPrecondition says what it is instead.
absl::Status CheckConnectHeld(const ResourceContext& context);

}  // namespace connect_ha
