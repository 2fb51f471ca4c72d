// Whether an interpreter does what it is for: R evaluates, Python makes a virtual environment with
// pip, Quarto checks itself.
#pragma once

#include <string>
#include <vector>

#include "agent/probes/probe.h"

namespace connect_ha {

// A smoke run, one at a time; or the latest one, of probes or of who installs, where it passed
// within a day and the runtime is still the same (TrialSubject). Unavailable: it could not be run
// as content's account, with why. DeadlineExceeded: it was not seen to end by itself.
absl::StatusOr<v1::SmokeRun> TryRuntime(const ProbeInput& input, v1::RuntimeKind kind,
                                        const std::string& executable);

// Runs a command as the account that content runs as, which is never root, with an empty home.
// `environment`: in addition to that of every command.
absl::StatusOr<CommandResult> RunAsContent(const ProbeInput& input,
                                           const std::vector<std::string>& arguments,
                                           std::chrono::milliseconds deadline,
                                           const std::vector<std::string>& environment = {});

}  // namespace connect_ha
