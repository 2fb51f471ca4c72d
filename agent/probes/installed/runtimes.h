// R, Python and Quarto as they are installed, for the report.
#pragma once

#include <map>
#include <string>

#include "agent/probes/installed/find_runtimes.h"
#include "agent/probes/probe.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {

// Reads which interpreters there are: version, package, digest of the binary. Integrity, smoke
// runs and what takes a process to tell are VerifyRuntimes' latest results.
absl::Status ReadRuntimes(const ProbeInput& input, v1::Facts& facts);

// Runs every interpreter, as the account that content runs as, and compares its package's files
// with their checksums, for ReadRuntimes to report.
absl::Status VerifyRuntimes(const ProbeInput& input, v1::Facts& facts);

// Null when this executable, as it is now, has not been verified.
const VerifiedRuntime* FindVerified(const std::map<std::string, VerifiedRuntime>& verified,
                                    const std::string& executable, const FileStatus& now);

}  // namespace connect_ha
