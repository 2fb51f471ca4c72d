#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

inline constexpr char kConnectPackage[] = "rstudio-connect";

// Reads Connect: its package, its unit, whether it answers, and which version the running
// process says it is. Integrity is VerifyConnect's latest result.
absl::Status ReadConnect(const ProbeInput& input, v1::Facts& facts);

// The unit is active but does not answer as it should: it may just have been started.
bool ConnectIsStarting(const v1::Facts& facts);

// Compares every file of Connect's package with its checksum, for ReadConnect to report.
absl::Status VerifyConnect(const ProbeInput& input, v1::Facts& facts);

// The version of Connect's package that is installed, as PlainVersion has it; "": none is.
absl::StatusOr<std::string> InstalledConnect(Host& host, ProbeCache& cache);

// Where to reach a server on this machine that listens on `listen` (":3939", "10.0.0.5:3939",
// "[::]:443"): the loopback for a wildcard, else the address itself. "127.0.0.1:3939".
std::string LocalAddress(const std::string& listen);

// The version in the answer of /__api__/server_settings. NotFound: it tells none.
absl::StatusOr<std::string> ParseServerVersion(const std::string& json);

}  // namespace connect_ha
