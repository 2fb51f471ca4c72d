// What a node asks of a specification before it goes by it, whoever sends it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

struct Demands {
  std::string cluster;  // that this node is of
  // As ReadTrustedSigners: an error refuses everything, none takes what is not signed, too.
  absl::StatusOr<std::vector<std::string>> signers = std::vector<std::string>();
};

// What there is to go by of `offered`: where this node trusts signers alone, the specification and
// its files are those that were signed. An error says why it is refused, for a person, and ends
// with "\nfix: " and what to type.
absl::StatusOr<v1::Desired> CheckDesired(const v1::Desired& offered, const Demands& demands);

// The same for one that is only to be looked at: it has no generation yet.
absl::StatusOr<v1::Desired> CheckDraft(const v1::Desired& offered, const Demands& demands);

}  // namespace connect_ha
