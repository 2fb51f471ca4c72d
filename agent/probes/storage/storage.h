// Which file system every data directory is on. Nothing here touches a network file system: a
// mount that hangs must not hang the agent, so what is on one is told from the mount table and
// from links on local file systems alone. Whether it hangs is storage_answers.h's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Reads the network mounts, the mounts that data directories are on, and those directories.
absl::Status ReadStorage(const ProbeInput& input, v1::Facts& facts);

// Something is being mounted where Server.DataDir is.
bool StorageIsOnItsWay(const v1::Facts& facts);

// The mount table as it is now.
absl::StatusOr<std::vector<MountEntry>> ReadMounts(Host& host);

// What is told of one.
absl::StatusOr<v1::Mount> ReadMount(Host& host, const MountEntry& mount);

// A network file system is mounted there: not a point that waits for one (autofs).
bool IsNetworkMount(const MountEntry& mount);

// A data directory on a network mount.
struct NetworkDirectory {
  std::string key;  // Server.DataDir
  std::string resolved;
  MountEntry mount;
};

// In the order of ConnectConfig::Directories.
absl::StatusOr<std::vector<NetworkDirectory>> NetworkDirectories(
    Host& host, const ConnectConfig& config, const std::vector<MountEntry>& mounts);

// The network mounts that data directories are on; none while the configuration is not known.
absl::StatusOr<std::set<std::string>> DataMountPoints(const ProbeInput& input,
                                                      const std::vector<MountEntry>& mounts);

// `path` (absolute) with the links on local file systems followed, and "." and ".." taken out.
// From the first component that is on a network file system, or is not there, the rest is kept
// as it is.
absl::StatusOr<std::string> ResolveLocalLinks(Host& host, const std::vector<MountEntry>& mounts,
                                              const std::string& path);

}  // namespace connect_ha
