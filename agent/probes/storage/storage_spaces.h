// How full the file systems are that hold Connect's data, where their servers tell.
#pragma once

#include "absl/status/status.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Fills Facts.storage.spaces: of each network mount that a data directory is on.
absl::Status ReadStorageSpaces(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
