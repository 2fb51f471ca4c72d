// One HTTP request (libcurl) to this node's own services and metadata: redirects are not followed,
// and no proxy of the environment is asked, whose answer would be taken for theirs.
#pragma once

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// Unavailable: no answer, with libcurl's words; DeadlineExceeded: none in time;
// ResourceExhausted: the body is larger than the limit. May be called from any thread.
absl::StatusOr<HttpResponse> AskHttp(const HttpRequest& request);

}  // namespace connect_ha
