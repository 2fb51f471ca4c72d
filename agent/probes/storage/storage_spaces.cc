#include "agent/probes/storage/storage_spaces.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/probes/machine/disk.h"
#include "agent/probes/storage/storage.h"

namespace connect_ha {
namespace {

// No server has an exbibyte; one that says so (EFS: 8 EiB) has no bound that it would tell.
constexpr uint64_t kNoBound = uint64_t{1} << 60;

}  // namespace

absl::Status ReadStorageSpaces(const ProbeInput& input, v1::Facts& facts) {
  if (!input.config && !input.config_status.ok()) return input.config_status;
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(input.host);
  if (!mounts.ok()) return mounts.status();
  const absl::StatusOr<std::set<std::string>> points = DataMountPoints(input, *mounts);
  if (!points.ok()) return points.status();
  for (const std::string& point : *points) {
    const absl::StatusOr<FileSystemUse> use = input.host.Use(point);
    if (!use.ok()) {
      MarkUnobserved(facts, "storage.spaces", std::string(use.status().message()));
      continue;
    }
    v1::MountSpace& space = *facts.mutable_storage()->add_spaces();
    space.set_mount_point(point);
    if (use->size_bytes == 0 || use->size_bytes >= kNoBound) continue;
    space.set_size_bytes(use->size_bytes);
    space.set_free_bytes(use->free_bytes);
    space.set_used_percent(UsedPercent(*use));
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
