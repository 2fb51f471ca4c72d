// The mount table as it is now, parsed again only when the kernel says that it changed.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/fd.h"
#include "agent/host/mounts/mount_table.h"

namespace connect_ha {

class LiveMountTable {
 public:
  // From any thread.
  absl::StatusOr<std::shared_ptr<const std::vector<MountEntry>>> Get();

 private:
  std::mutex mutex_;
  Fd file_;
  std::shared_ptr<const std::vector<MountEntry>> mounts_;
};

}  // namespace connect_ha
