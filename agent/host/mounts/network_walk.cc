#include "agent/host/mounts/network_walk.h"

#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/files/files.h"

namespace connect_ha {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

std::deque<std::string> Components(const std::string& path) {
  return absl::StrSplit(path, '/', absl::SkipEmpty());
}

}  // namespace

std::optional<std::string> NetworkMountOnTheWay(const std::vector<MountEntry>& mounts,
                                                const std::string& path, bool follow_last) {
  const bool any = std::any_of(mounts.begin(), mounts.end(), [](const MountEntry& mount) {
    return IsNetworkFileSystem(mount.fs_type);
  });
  if (!any) return std::nullopt;
  std::deque<std::string> rest = Components(path);
  std::string done;
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    const std::string next = absl::StrCat(done, "/", name);
    if (const MountEntry* mount = FindNetworkMount(mounts, next)) return mount->mount_point;
    const bool last = rest.empty();
    const absl::StatusOr<std::string> target =
        last && !follow_last ? absl::StatusOr<std::string>(absl::NotFoundError(""))
                             : ReadLinkHere(next);
    if (!target.ok() || ++links > kMostLinks) {
      done = next;
      continue;
    }
    const std::deque<std::string> more = Components(*target);
    rest.insert(rest.begin(), more.begin(), more.end());
    if (target->front() == '/') done.clear();
  }
  return std::nullopt;
}

}  // namespace connect_ha
