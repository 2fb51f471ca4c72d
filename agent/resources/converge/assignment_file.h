// What this node was assigned last, in one file: what it goes by while no coordinator is in reach.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// NotFound: nothing was assigned yet. DataLoss: the file is none.
absl::StatusOr<v1::Assignment> LoadAssignment(Host& host, const std::string& state_dir);

// Root's alone, since the configuration and the licence are in it.
absl::Status StoreAssignment(WritableHost& host, const std::string& state_dir,
                             const v1::Assignment& assignment);

}  // namespace connect_ha
