// From a specification to one in force: shown, agreed to, applied, followed. What `apply` and
// `spec rollback` share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/command/command_line.h"
#include "connect_ha/v1/spec.pb.h"
#include "coordinator/cli/environment.h"

namespace connect_ha {

struct Proposal {
  v1::SpecBundle bundle;
  // Not 0: this older one is to be taken up again, and `bundle` is what it says.
  uint64_t generation = 0;
  std::string command;  // what to type to get here again: connect-ha apply cluster.yaml
};

// --yes, --wait, --timeout and those of every client.
std::vector<Option> PutIntoForceOptions();

// Asks the nodes what would change and shows it; asks the person; applies. The exit code.
int PutIntoForce(const Environment& environment, const Arguments& arguments, Terminal& terminal,
                 const Proposal& proposal);

// Whether the person at the terminal says yes. InvalidArgument: there is no terminal to ask on,
// with `command` --yes as the fix.
absl::StatusOr<bool> Confirmed(const Environment& environment, Terminal& terminal,
                               const std::string& question, const std::string& command);

}  // namespace connect_ha
