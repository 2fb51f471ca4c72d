#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Reads the TCP ports that something listens on. Left out: ports of the ephemeral range on the
// loopback, which every content process opens and closes as it comes and goes.
absl::Status ReadListeners(const ProbeInput& input, v1::Facts& facts);

// `table`: the text of /proc/net/tcp or /proc/net/tcp6. Unsorted, with duplicates.
std::vector<v1::Listener> ParseListeners(absl::string_view table);

}  // namespace connect_ha
