// A name's addresses within a time limit, which getaddrinfo(3) itself does not have.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha {

// Numeric addresses in the order in which they should be tried; at least one. An address resolves
// to itself. The look-up goes on in a thread of its own after the deadline, until the resolver's
// own time limits end it.
absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& name,
                                                     std::chrono::milliseconds deadline);

}  // namespace connect_ha
