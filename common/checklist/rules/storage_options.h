// The mount options of the shared file system.
#pragma once

#include <string>

namespace connect_ha {

// "nfsvers=4.1,rsize=1048576,...,_netdev", for /etc/fstab.
std::string NfsOptions();

}  // namespace connect_ha
