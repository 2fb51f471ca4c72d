// Beacons in a shared directory: DIRECTORY/.connect-ha/beacons/NODE, a small file for each node.
// For the process that may hang in the agent's stead (storage_work.h).
//
// What others wrote there is input from outside: no link is followed, and what is read is bounded,
// and looked at before it is taken.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

// `request`: a v1::BeaconExchange; the answer: a v1::BeaconsFound; both serialised. Removes the
// beacons that are to be forgotten, writes this node's and reads it back, and reads all others.
// What keeps it from writing is in the answer. Aborted: the directory is not on the mount that is
// named, and nothing was touched.
absl::StatusOr<std::string> ExchangeBeaconsHere(const std::string& directory,
                                                const std::string& request);

}  // namespace connect_ha
