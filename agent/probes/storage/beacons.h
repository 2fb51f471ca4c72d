// The beacons that this node put into the shared directories, and those of others that it sees
// there: what agent/proof/beacons.h keeps of its latest round.
#pragma once

#include "absl/status/status.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Fills Facts.beacons; touches no file system.
absl::Status ReadBeacons(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
