// What to type for a directory on a node's own disk to come to the shared file system.
#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// For NODE, which is `node`. Mounts the file system first where the node has none. Where another
// node shares that directory already its place is taken, and nothing is copied over it.
std::string ShareFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                     const v1::DataDirectory& directory);

// The copy has the directory's own name, on the shared file system where that is known.
std::string MoveFix(const v1::StorageSpec& spec, const v1::Facts& facts,
                    const v1::DataDirectory& directory);

// Mounts by the unit or the line of /etc/fstab that is there for it.
std::string StartMountCommand(const std::string& mount_point);

}  // namespace connect_ha
