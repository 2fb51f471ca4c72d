// Values of Connect's configuration, as Connect reads them (Admin Guide, configuration appendix).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connect_ha {

// true, yes, on, 1 and false, no, off, 0 in any case: what go-gcfg takes.
std::optional<bool> ReadConfigBool(std::string_view value);

// Nanoseconds: "30m", "1h30m", "1.5s", "-2ms", or a bare number of them.
std::optional<int64_t> ReadConfigDuration(std::string_view value);

// Bytes: "5 MB" (a thousand thousands), "5 KiB" (1024), or a bare number of them.
std::optional<uint64_t> ReadConfigSize(std::string_view value);

// In the largest unit that needs no fraction: "90m", "1500ms".
std::string DurationText(int64_t nanoseconds);

}  // namespace connect_ha
