// The mount options of the shared file system.
#pragma once

#include <string>

namespace connect_ha {

// "nfsvers=4.1,rsize=1048576,...,_netdev", for a line of /etc/fstab that mounts EFS.
std::string EfsOptions();

}  // namespace connect_ha
