// From a specification to one in force: shown, with what it asks of the cluster, agreed to,
// applied, followed. What `apply` and `spec rollback` share.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/command/command_line.h"
#include "coordinator/cli/apply/proposal.h"
#include "coordinator/cli/environment.h"

namespace connect_ha {

// --sign, --yes, --wait, --timeout, --why and those of every client.
std::vector<Option> PutIntoForceOptions();

// Signs it where that is asked; asks the nodes what would change and shows it; asks the person;
// applies. The exit code.
int PutIntoForce(const Environment& environment, const Arguments& arguments, Terminal& terminal,
                 Proposal proposal);

// Whether the person at the terminal says yes. InvalidArgument: there is no terminal to ask on,
// with `command` --yes as the fix.
absl::StatusOr<bool> Confirmed(const Environment& environment, Terminal& terminal,
                               const std::string& question, const std::string& command);

}  // namespace connect_ha
