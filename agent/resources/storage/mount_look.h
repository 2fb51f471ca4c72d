// How the shared file system is mounted here, by the kernel's mount table, and whether systemd will
// mount it again. Asks no server but through the process that may hang; changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/resources/resource.h"
#include "agent/resources/storage/mount_plan.h"

namespace connect_ha {

struct MountStand {
  MountPlan plan;
  bool is_mounted = false;  // the right file system, and it answers
  // What is wrong with how it is mounted: "without lookupcache=pos"; "" for nothing.
  std::string mount_fault;
  // What keeps systemd from mounting it so: "mnt-connect.mount is not enabled"; "" for nothing.
  std::string unit_fault;
  unsigned fstab_line = 0;  // that mounts something at the same place; 0: none
  // Units that ask for the mount, and are stopped with it.
  std::vector<std::string> users;
};

// FailedPrecondition: something is in the way that is never changed by itself: another file system,
// several, files below the mount point, a program that is missing. Unavailable: the file system
// does not answer.
absl::StatusOr<MountStand> LookAtMount(const ResourceContext& context);

// What is mounted at the place, as the mount table has it; the topmost last.
absl::StatusOr<std::vector<MountEntry>> MountsAt(Host& host, const std::string& mount_point);

// The program that mount(8) needs is there. FailedPrecondition: it is not, with what to install.
absl::Status CheckMountProgram(Host& host, const MountPlan& plan);

// "/etc/systemd/system/mnt-connect.mount"
std::string MountUnitFile(const MountPlan& plan);

}  // namespace connect_ha
