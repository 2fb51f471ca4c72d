// Where Connect looks for R by itself (R.ExecutableScanning): installations below /opt/R and
// /opt/local/R, where system packages and `make install` put it, and, when there is none at all,
// on the PATH.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/probes/probe.h"

namespace connect_ha {

inline constexpr char kOtherRDirectory[] = "/opt/local/R";
inline constexpr const char* kSystemR[] = {"/usr/lib/R/bin/R",       "/usr/lib64/R/bin/R",
                                           "/usr/local/lib/R/bin/R", "/usr/local/lib64/R/bin/R",
                                           "/opt/local/lib/R/bin/R", "/opt/local/lib64/R/bin/R"};

// Whether Connect looks for R beyond what its configuration names. Null: there is no
// configuration, so its defaults hold.
bool ScansForR(const ConnectConfig* config);

// The first R on the PATH of Connect's unit. NotFound: there is none.
absl::StatusOr<std::string> FindROnPath(const ProbeInput& input);

// R's home: "/opt/R/4.3.3/lib/R" of "/opt/R/4.3.3/bin/R", "/usr/lib/R" of both "/usr/bin/R" and
// "/usr/lib/R/bin/R". What lies there is the installation; an R in a bin/ is a script that runs it.
absl::StatusOr<std::string> RHome(Host& host, const std::string& real_path);

}  // namespace connect_ha
