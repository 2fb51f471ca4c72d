// One TLS handshake that verifies nothing, to see what a server presents. Only for files that call
// OpenSSL.
#pragma once

#include <chrono>
#include <vector>

#include "absl/status/statusor.h"
#include "common/address.h"
#include "common/tls/openssl.h"

namespace connect_ha {

// The server's certificates, its own (whose key it proved to hold) first. Offers HTTP/2, as gRPC
// servers demand. Unavailable: cannot be reached in time; FailedPrecondition: does not speak TLS.
absl::StatusOr<std::vector<X509Handle>> LookAtServer(const Address& address,
                                                     std::chrono::milliseconds timeout);

}  // namespace connect_ha
