#include "agent/host/mounts/live_mount_table.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "agent/host/errors.h"
#include "agent/host/files/files.h"

namespace connect_ha {
namespace {

constexpr char kPath[] = "/proc/self/mountinfo";

}  // namespace

absl::StatusOr<std::shared_ptr<const std::vector<MountEntry>>> LiveMountTable::Get() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!file_.ok()) {
    file_.Reset(open(kPath, O_RDONLY | O_CLOEXEC));
    if (!file_.ok()) return ErrnoStatus(errno, "cannot read the mount table");
  }
  // proc(5): POLLPRI once after each change.
  pollfd item{file_.get(), POLLPRI, 0};
  const bool changed = poll(&item, 1, 0) != 0;
  if (mounts_ != nullptr && !changed) return mounts_;
  mounts_.reset();
  const absl::StatusOr<std::string> text = ReadFileHere(kPath);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<MountEntry>> mounts = ParseMountInfo(*text);
  if (!mounts.ok()) return mounts.status();
  mounts_ = std::make_shared<const std::vector<MountEntry>>(*std::move(mounts));
  return mounts_;
}

}  // namespace connect_ha
