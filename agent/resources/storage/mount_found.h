// What was found at the mount point: is it what is wanted?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/host.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/probes/storage/efs_state.h"
#include "agent/resources/storage/mount_plan.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// FailedPrecondition: several file systems are mounted on one another there, or an automount waits.
absl::Status CheckAlone(const MountPlan& plan, const std::vector<MountEntry>& here);

// FailedPrecondition: another file system is mounted, or another access point or directory of the
// right one, or it cannot be told that it is the right one. `mount`: of `entry`. `serves`: a
// Connect runs by what is mounted, and nobody is told to take that from under it.
absl::Status CheckSource(const v1::StorageSpec& spec, const MountPlan& plan,
                         const MountEntry& entry, const v1::Mount& mount, bool serves);

// Unavailable: the file system hangs, or answers with an error. Nobody may mount, unmount or
// remount it then: PID 1 itself would hang (systemd issue 42050).
absl::Status CheckAnswers(Host& host, const MountPlan& plan);

// What is wrong with how the right file system is mounted, for which it has to be mounted anew:
// "without hard,lookupcache=pos"; "" for nothing. `by_helper`: what amazon-efs-utils knows of it.
std::string MountFault(const v1::StorageSpec& spec, const v1::Mount& mount,
                       const std::optional<EfsState>& by_helper);

}  // namespace connect_ha
