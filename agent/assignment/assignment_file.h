// What this node was assigned last, in one file: what it goes by while no coordinator is in reach.
// Only held.h reads and writes it; the commands ask ReadHeld.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// Of DIRECTORY/assignment. NotFound: there is none. DataLoss: the file is none.
absl::StatusOr<v1::Assignment> LoadAssignment(Host& host, const std::string& directory);

// Root's alone, since the configuration and the licence are in it.
absl::Status StoreAssignment(WritableHost& host, const std::string& directory,
                             const v1::Assignment& assignment);

absl::Status RemoveAssignment(WritableHost& host, const std::string& directory);

}  // namespace connect_ha
