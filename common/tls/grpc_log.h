// What gRPC says beside the statuses of calls, as our own log lines. For a whole process.
#pragma once

#include <string>

namespace connect_ha {

enum class GrpcSide { kServer, kClient };

// From now on gRPC's errors are warnings in our log (event=GRPC), its other lines, which it writes
// only with $GRPC_VERBOSITY, are of level debug. A TLS handshake that fails is event=REFUSED for a
// server; gRPC knows OpenSSL's reason there and not the caller's address. For a client it is of
// level debug: the status of its call says it. Each text once a minute, ten in a minute.
void RouteGrpcLog(GrpcSide side);

// Why a handshake failed, for a person, of gRPC's line about it: OpenSSL's words and what they mean
// to a server. "" for every other line.
std::string WhyHandshakeFailed(const std::string& line);

}  // namespace connect_ha
