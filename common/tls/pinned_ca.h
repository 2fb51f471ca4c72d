// First contact: TLS looks at the coordinator without gRPC, which cannot say why it failed.
// Calls block up to `timeout`.
#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// The CA certificate (PEM) that the coordinator at `address` (host:port) presents, when its hash
// is `ca_hash` ("sha256:" and hex) and it signed the certificate the coordinator proved to hold.
// Nothing is sent that the coordinator could misuse, so an impostor learns nothing.
// Unavailable: not there (yet), or not to be reached. FailedPrecondition: it is another
// coordinator, its certificate is not in order, or it does not speak TLS.
absl::StatusOr<std::string> FetchPinnedCa(const std::string& address, const std::string& ca_hash,
                                          std::chrono::milliseconds timeout);

// Why a gRPC channel to `address` that trusts `ca` (PEM) does not come up; OK when it should.
// Errors as above.
absl::Status ExplainConnection(const std::string& address, const std::string& ca,
                               std::chrono::milliseconds timeout);

}  // namespace connect_ha
