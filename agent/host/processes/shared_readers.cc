#include "agent/host/processes/shared_readers.h"

#include <algorithm>

namespace connect_ha {
namespace {

// Hung is what has not come back for so long; slower than that is only slow.
constexpr std::chrono::seconds kWorkDeadline{30};
// A little longer than the mount helper's watchdog takes to start its proxy anew, after which what
// waits goes on by itself. Whoever waits for a mount that was taken away would do so for ever.
constexpr std::chrono::seconds kWorkKilledAfter{60};

// Of the topmost mount there; "" for none.
std::string DeviceAt(const std::vector<MountEntry>& mounts, const std::string& mount_point) {
  const auto top = std::find_if(mounts.rbegin(), mounts.rend(), [&](const MountEntry& mount) {
    return mount.mount_point == mount_point;
  });
  return top == mounts.rend() ? "" : top->device;
}

bool HasMount(const std::vector<MountEntry>& mounts, const std::string& mount_point) {
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const MountEntry& mount) { return mount.mount_point == mount_point; });
}

}  // namespace

SharedReaderOptions SharedReaders::LimitsOf(Lane lane) {
  SharedReaderOptions options;
  if (lane == Lane::kWork) {
    options.deadline = kWorkDeadline;
    options.kill_after = kWorkKilledAfter;
  }
  return options;
}

std::shared_ptr<SharedReader> SharedReaders::Get(const std::vector<MountEntry>& mounts,
                                                 const std::string& mount_point, Lane lane) {
  // Ended outside of the lock, since that may take a second each.
  std::vector<std::shared_ptr<SharedReader>> gone;
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string device = DeviceAt(mounts, mount_point);
  One& one = readers_[{mount_point, lane}];
  if (one.reader != nullptr && one.device == device) return one.reader;
  gone.push_back(std::move(one.reader));
  SharedReaderOptions options = LimitsOf(lane);
  options.command = command_;
  options.name = mount_point;
  one = {device, std::make_shared<SharedReader>(std::move(options))};
  std::shared_ptr<SharedReader> made = one.reader;
  for (auto it = readers_.begin(); it != readers_.end();) {
    if (it->first.first == mount_point || HasMount(mounts, it->first.first)) {
      ++it;
    } else {
      gone.push_back(std::move(it->second.reader));
      it = readers_.erase(it);
    }
  }
  return made;
}

}  // namespace connect_ha
