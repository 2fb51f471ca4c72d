// What to do for a directory to come to the shared file system, and what such steps are made of.
//
// Data is copied only where one node alone has any, and then over nothing. Where several nodes have
// some, a person says whose counts.
#pragma once

#include <string>

#include "common/checklist/fix.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// For a directory on the node's own disk. Mounts the file system first where the node has none.
Fixes ShareFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
               const v1::DataDirectory& directory);

// For a directory that may not stay where it is.
Fixes MoveFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
              const v1::DataDirectory& directory);

// "set DataDir = /mnt/connect/data under [Server] in /etc/rstudio-connect/rstudio-connect.gcfg:4",
// or where else its value comes from. `key` is "Server.DataDir".
std::string SetKeyNote(const v1::Facts& facts, const std::string& key, const std::string& value);
// "take LandingDir under [Server] out of FILE:LINE"
std::string TakeKeyOutNote(const v1::Facts& facts, const std::string& key);

// "systemctl start mnt-connect.mount": nothing happens where it is mounted. Neither where there is
// no such unit and no line of /etc/fstab: see NoUnitFix.
std::string StartMountCommand(const std::string& mount_point);
// What is to be written first where systemd has nothing to mount it by; none where the agent writes
// it. For use behind StartMountCommand.
Fixes NoUnitFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                const std::string& mount_point);
// Stops Connect, takes off what is mounted, and mounts by the unit or the line of /etc/fstab.
Fixes RemountFix(const std::string& node, const std::string& mount_point);

}  // namespace connect_ha
