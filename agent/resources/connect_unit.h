#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/resource.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Connect's unit as systemd has it; one that is not there is "not-found", inactive.
absl::StatusOr<v1::Unit> ReadConnectUnit(const ResourceContext& context);
// It runs: active, or reloading.
bool IsUp(const v1::Unit& unit);
// Connect's package is not installed, and nothing runs as Connect's unit.
bool IsConnectAbsent(const ResourceContext& context);

// OK when Connect's unit is masked and inactive, and nothing of it is left running, so that nothing
// that a package's script does can start it. FailedPrecondition says what it is instead.
absl::Status CheckConnectHeld(const ResourceContext& context);
// The same for what a package manager is to do; OK, too, where Connect is left as it is and its own
// package is not touched.
absl::Status CheckMayInstall(const ResourceContext& context, bool touches_connect);

}  // namespace connect_ha
