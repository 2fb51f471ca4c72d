#pragma once

#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Reads /proc/meminfo.
absl::Status ReadMemory(const ProbeInput& input, v1::Facts& facts);

// `meminfo`: the text of /proc/meminfo. A line that is not there leaves its field unset.
v1::MemoryFacts ParseMeminfo(absl::string_view meminfo);

}  // namespace connect_ha
