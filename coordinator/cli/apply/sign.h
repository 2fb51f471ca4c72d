// Signing what is to be applied, for nodes that take nothing else.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spec/signed_spec.h"
#include "coordinator/cli/apply/proposal.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

// FailedPrecondition: others than its owner can read the file.
absl::StatusOr<SigningKey> ReadSigningKey(const std::string& path);

// Signs the proposal's bundle as the generation that it is to have: above `newest`, and above what
// the nodes hold, as far as that can be.
absl::Status SignProposal(const SigningKey& key, AdminLink& admin, uint64_t newest,
                          Proposal& proposal);

// The bundle as its own text says it, which a person can read: what a coordinator claims beside the
// text is not signed. `name` is what it is called in errors.
absl::StatusOr<v1::SpecBundle> AsWritten(const v1::SpecBundle& bundle, const std::string& name);

}  // namespace connect_ha
