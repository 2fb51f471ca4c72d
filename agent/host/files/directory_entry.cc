#include "agent/host/files/directory_entry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/host/errors.h"

namespace connect_ha {

absl::Status DirectoryEntry::Sync() const {
  if (fsync(directory.get()) == 0) return absl::OkStatus();
  return ChangeStatus(errno, "cannot make durable " + path);
}

absl::StatusOr<DirectoryEntry> OpenEntry(const std::string& path) {
  std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  const auto odd = [](const std::string& part) { return part == "." || part == ".."; };
  if (!absl::StartsWith(path, "/") || parts.empty() ||
      std::any_of(parts.begin(), parts.end(), odd)) {
    return absl::InvalidArgumentError(absl::StrCat("not a path to change: \"", path, "\""));
  }
  DirectoryEntry entry;
  entry.name = parts.back();
  entry.path = path;
  parts.pop_back();
  const std::string directory = "/" + absl::StrJoin(parts, "/");
  entry.directory.Reset(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!entry.directory.ok()) return ChangeStatus(errno, "cannot open " + directory);
  return entry;
}

absl::Status RenameEntry(const DirectoryEntry& from, const std::string& from_name,
                         const DirectoryEntry& to) {
  const std::string what = absl::StrCat("cannot rename ", from.path, " to ", to.path);
  const int source = from.directory.get();
  const int target = to.directory.get();
  if (renameat2(source, from_name.c_str(), target, to.name.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  if (errno != EINVAL && errno != ENOSYS) return ChangeStatus(errno, what);
  // A file system or a kernel without RENAME_NOREPLACE: between the look and the rename only we
  // change what is ours.
  struct stat there {};
  if (fstatat(target, to.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    return ChangeStatus(EEXIST, what);
  }
  if (renameat(source, from_name.c_str(), target, to.name.c_str()) == 0) return absl::OkStatus();
  return ChangeStatus(errno, what);
}

}  // namespace connect_ha
