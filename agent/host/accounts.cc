#include "agent/host/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "agent/host/errors.h"

namespace connect_ha {
namespace {

constexpr size_t kSmallestBuffer = 4 * 1024;
constexpr size_t kLargestBuffer = 1024 * 1024;

// Calls `look_up(buffer)` with ever larger buffers until it returns something but ERANGE.
template <typename LookUp>
int WithBuffer(std::vector<char>& buffer, LookUp look_up) {
  buffer.resize(kSmallestBuffer);
  int error = look_up(buffer);
  while (error == ERANGE && buffer.size() < kLargestBuffer) {
    buffer.resize(buffer.size() * 2);
    error = look_up(buffer);
  }
  return error;
}

// POSIX has "none" as 0 without an entry; some name services say it with an error instead.
bool MeansNone(int error) { return error == ENOENT || error == ESRCH; }

std::string GroupName(gid_t gid) {
  std::vector<char> buffer;
  group entry{};
  group* found = nullptr;
  WithBuffer(buffer, [&](std::vector<char>& room) {
    return getgrgid_r(gid, &entry, room.data(), room.size(), &found);
  });
  return found == nullptr ? "" : found->gr_name;
}

std::vector<uint32_t> GroupsOf(const char* name, gid_t gid) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<size_t>(count));
  while (getgrouplist(name, gid, groups.data(), &count) < 0) {
    groups.resize(std::max(static_cast<size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  std::vector<uint32_t> sorted(groups.begin(), groups.begin() + count);
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace

absl::StatusOr<AccountEntry> LookUpAccount(const std::string& name) {
  std::vector<char> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const int error = WithBuffer(buffer, [&](std::vector<char>& room) {
    return getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  });
  if (found == nullptr) {
    if (error != 0 && !MeansNone(error)) return ErrnoStatus(error, "cannot look up user " + name);
    return absl::NotFoundError("no such user: " + name);
  }
  AccountEntry account;
  account.user.name = name;
  account.user.uid = entry.pw_uid;
  account.user.gid = entry.pw_gid;
  account.user.primary_group = GroupName(entry.pw_gid);
  account.user.groups = GroupsOf(entry.pw_name, entry.pw_gid);
  account.home = entry.pw_dir;
  return account;
}

absl::StatusOr<uint32_t> LookUpGroupId(const std::string& name) {
  std::vector<char> buffer;
  group entry{};
  group* found = nullptr;
  const int error = WithBuffer(buffer, [&](std::vector<char>& room) {
    return getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  });
  if (found != nullptr) return static_cast<uint32_t>(entry.gr_gid);
  if (error != 0 && !MeansNone(error)) return ErrnoStatus(error, "cannot look up group " + name);
  return absl::NotFoundError("no such group: " + name);
}

}  // namespace connect_ha
