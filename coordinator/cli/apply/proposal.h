// A specification that may come into force, and what the nodes would change for it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/command/command_line.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "coordinator/cli/environment.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

struct Proposal {
  v1::SpecBundle bundle;
  // Not 0: to go back to this older one, and `bundle` is what it says. Signed, it is sent as what
  // it says: it was signed as another generation, or not at all.
  uint64_t generation = 0;
  std::string command;  // what to type to get here again: connect-ha apply cluster.yaml
};

// Reads the file that is named, or /etc/connect-ha/cluster.yaml, for `connect-ha COMMAND [FILE]`;
// says what is wrong with it. False: it cannot be used.
bool ReadProposal(const std::string& command, const Arguments& arguments, Terminal& terminal,
                  Proposal& proposal);

template <typename Request>
Request RequestFor(const Proposal& proposal) {
  Request request;
  if (proposal.generation > 0 && !proposal.bundle.has_signed_spec()) {
    request.set_generation(proposal.generation);
  } else {
    *request.mutable_bundle() = proposal.bundle;
  }
  return request;
}

// Asks the nodes what they would change; changes nothing. Says on standard error how many have
// answered, and waits a minute for them at the most.
absl::StatusOr<v1::GetPreviewsResponse> AskNodes(const Environment& environment, AdminLink& admin,
                                                 const Proposal& proposal, Terminal& terminal);
// What they said, and what that asks of the cluster.
void ShowPreviews(const Proposal& proposal, const v1::GetPreviewsResponse& previews,
                  Terminal& terminal);

}  // namespace connect_ha
