// One HTTP request (libcurl). Redirects are not followed. Link-local and loopback addresses are
// never asked through a proxy.
#pragma once

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// Unavailable: no answer, with libcurl's words; DeadlineExceeded: none in time;
// ResourceExhausted: the body is larger than the limit. May be called from any thread.
absl::StatusOr<HttpResponse> AskHttp(const HttpRequest& request);

}  // namespace connect_ha
