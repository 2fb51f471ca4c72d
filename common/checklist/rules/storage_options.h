// The mount options of the shared file system.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// "nfsvers=4.1,rsize=1048576,...,_netdev", for a line of /etc/fstab that mounts EFS.
std::string EfsOptions();
// The same for any other NFS server.
std::string NfsOptions();

// Those that an NFS mount does not have, as they are written, in the order of the above; not
// _netdev, which a mount does not show.
std::vector<std::string> MissingOptions(const v1::Mount& mount, bool is_efs);

}  // namespace connect_ha
