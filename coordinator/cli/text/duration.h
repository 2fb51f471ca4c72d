#pragma once

#include <chrono>
#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

// "90s", "30m", "12h", "2d", "1h30m": at least a second.
absl::StatusOr<std::chrono::seconds> ParseDuration(const std::string& text);

}  // namespace connect_ha
