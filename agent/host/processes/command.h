// Runs a program: an argument list, a deadline, an output limit; never a shell.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// See Host::Run. NotFound: no such program. The program is the leader of its own session;
// at the deadline, and when it ends, whatever is left of the group is killed; of another account
// also what left the group. Those of other accounts run one at a time. May be called from any
// thread.
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options);

}  // namespace connect_ha
