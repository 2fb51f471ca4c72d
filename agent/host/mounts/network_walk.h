// Whether a path leads onto a network file system, found without touching one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/mounts/mount_table.h"

namespace connect_ha {

// The mount point of the first network mount that a look at `path` (absolute) would touch, local
// symbolic links followed; nullopt when there is none. `follow_last`: the last component too.
std::optional<std::string> NetworkMountOnTheWay(const std::vector<MountEntry>& mounts,
                                                const std::string& path, bool follow_last);

}  // namespace connect_ha
