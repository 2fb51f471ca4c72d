// What stands before a start of Connect. Whether its unit asks for it is in ConnectFacts.unit.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// What the preflight prints where nothing is to be said.
inline constexpr char kMayStart[] = "Connect may start on this node";

// Where the preflight, which runs as a part of Connect's unit, leaves what it came to: in memory,
// of this boot alone. A v1::PreflightResult's bytes.
inline constexpr char kRuntimeDirectory[] = "/run/connect-ha-agent";
inline constexpr char kPreflightFile[] = "/run/connect-ha-agent/preflight";
// A v1::PreflightOverride's bytes, until the next start uses it up.
inline constexpr char kOverrideFile[] = "/run/connect-ha-agent/preflight-override";
// Below STATE_DIR, so that neither the next start nor a boot takes it away before it was reported:
// the bytes of the latest v1::PreflightResult that an override let start.
inline constexpr char kOverriddenName[] = "preflight-overridden";

// NotFound: there is none. DataLoss: the file is none.
absl::StatusOr<v1::PreflightResult> ReadPreflightResult(Host& host);
absl::StatusOr<v1::PreflightOverride> ReadPreflightOverride(Host& host);
absl::StatusOr<v1::PreflightResult> ReadOverridden(Host& host, const std::string& state_dir);

// Fills Facts.guard.
absl::Status ReadGuard(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
