#pragma once

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "common/time.h"

namespace connect_ha {

// "90s", "30m", "12h", "2d", "1h30m": at least a second.
absl::StatusOr<std::chrono::seconds> ParseDuration(const std::string& text);

// When something ends: such a span from `now` on, or a time as "2024-08-01T12:00:00Z".
absl::StatusOr<Time> ParseEnd(const std::string& text, Time now);

}  // namespace connect_ha
