// By which a cluster is told from another one of its name: what its nodes and its shared file
// system are marked with.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

// The first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER) of the
// cluster's certificate authority: a certificate that is made anew with the same key gives the
// same. `ca`: PEM. InvalidArgument: there is no certificate in it.
absl::StatusOr<std::string> ClusterId(const std::string& ca);

}  // namespace connect_ha
