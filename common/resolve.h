// A name's addresses within a time limit, which getaddrinfo(3) itself does not have: with a few
// servers that are silent it takes a minute. For database probes, and for the look at the
// coordinator. From any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha {

// Numeric addresses in the order in which they should be tried; at least one. An address resolves
// to itself. The look-up goes on in a thread of its own after the deadline, until the resolver's
// own time limits end it; whoever asks for the same name meanwhile waits for that one.
// Unavailable: there is none, or too many look-ups have not ended. DeadlineExceeded: no answer.
absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& name,
                                                     std::chrono::milliseconds deadline);

// The same with another way to look up, for tests.
using LookUpHost = absl::StatusOr<std::vector<std::string>> (*)(const std::string& name);
absl::StatusOr<std::vector<std::string>> ResolveHostWith(LookUpHost look_up,
                                                         const std::string& name,
                                                         std::chrono::milliseconds deadline);

}  // namespace connect_ha
