#include "agent/probes/machine/disk.h"

#include <algorithm>
#include <map>
#include <set>

#include "agent/probes/storage/storage.h"

namespace connect_ha {
namespace {

constexpr const char* kPaths[] = {"/", "/opt", "/tmp", "/var/lib", "/var/log", "/var/tmp"};
constexpr uint64_t kPercent = 100;

std::set<std::string> Paths(const ProbeInput& input) {
  std::set<std::string> paths(std::begin(kPaths), std::end(kPaths));
  if (input.config) {
    for (const ConfiguredPath& configured : input.config->Directories()) {
      paths.insert(configured.path);
    }
  }
  return paths;
}

}  // namespace

uint32_t UsedPercent(const FileSystemUse& use) {
  if (use.size_bytes == 0) return 0;
  const uint64_t used = use.size_bytes - std::min(use.free_bytes, use.size_bytes);
  // In double, since used * 100 overflows on a file system of 2^58 bytes.
  return static_cast<uint32_t>(static_cast<double>(used) * kPercent /
                               static_cast<double>(use.size_bytes));
}

absl::Status ReadDisk(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(input.host);
  if (!mounts.ok()) return mounts.status();
  std::map<std::string, std::set<std::string>> used_for;
  for (const std::string& path : Paths(input)) {
    const absl::StatusOr<std::string> resolved = ResolveLocalLinks(input.host, *mounts, path);
    if (!resolved.ok()) return resolved.status();
    const MountEntry* mount = FindMount(*mounts, *resolved);
    const bool local = mount != nullptr && FindNetworkMount(*mounts, *resolved) == nullptr;
    if (local) used_for[mount->mount_point].insert(path);
  }
  v1::DiskFacts& disk = *facts.mutable_disk();
  for (const auto& [mount_point, paths] : used_for) {
    const absl::StatusOr<FileSystemUse> use = input.host.Use(mount_point);
    if (!use.ok()) return use.status();
    v1::FileSystemSpace& space = *disk.add_file_systems();
    space.set_mount_point(mount_point);
    *space.mutable_used_for() = {paths.begin(), paths.end()};
    space.set_size_bytes(use->size_bytes);
    space.set_free_bytes(use->free_bytes);
    space.set_used_percent(UsedPercent(*use));
    space.set_read_only(use->read_only);
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
