// The kernel's mount table (/proc/self/mountinfo, proc(5)). Reading it touches no server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha {

struct MountEntry {
  std::string device;       // major:minor
  std::string root;         // the directory of the file system that is mounted
  std::string mount_point;  // unescaped
  std::vector<std::string> options;
  std::string fs_type;  // nfs4, ext4, fuse.sshfs
  std::string source;   // "" where the kernel has none
  std::vector<std::string> super_options;
};

// A field without its \ooo, as which blank, tab, newline, backslash and # are written; fstab(5) has
// the same.
std::string UnescapeMountField(std::string_view text);

// In the kernel's order: where two entries have one mount point, the later covers the earlier.
// InvalidArgument names the line that is not mountinfo's.
absl::StatusOr<std::vector<MountEntry>> ParseMountInfo(std::string_view text);

// True where a look at a file may wait for another machine or another process: NFS, EFS, SMB,
// FUSE, automount points and the like.
bool IsNetworkFileSystem(std::string_view fs_type);

// The mount that holds `path` (absolute, links already resolved); null when there is none.
const MountEntry* FindMount(const std::vector<MountEntry>& mounts, std::string_view path);

// The topmost network mount that a walk to `path` goes through; null when there is none.
const MountEntry* FindNetworkMount(const std::vector<MountEntry>& mounts, std::string_view path);

}  // namespace connect_ha
