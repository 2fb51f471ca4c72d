// Numbers as people type them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/command/command_line.h"

namespace connect_ha {

// A generation of the specification: from 1.
absl::StatusOr<uint64_t> ParseGeneration(const std::string& text);

// --limit, from 1; `otherwise` where it is not given. `command` is the fix's.
absl::StatusOr<uint32_t> LimitOf(const Arguments& arguments, uint32_t otherwise,
                                 const std::string& command);

}  // namespace connect_ha
