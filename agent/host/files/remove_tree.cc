// RemoveHere: a whole tree, name by name, through open directories.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/files/directory_entry.h"
#include "agent/host/files/write_files.h"

namespace connect_ha {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

absl::StatusOr<std::vector<std::string>> Names(int directory, const std::string& path) {
  const std::unique_ptr<DIR, DirectoryCloser> stream(
      fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 0)));
  if (stream == nullptr) return ChangeStatus(errno, "cannot list " + path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return ChangeStatus(errno, "cannot list " + path);
  return names;
}

// The entry and, if it is a directory of the file system `device`, what is below it.
absl::Status RemoveEntry(int directory, const std::string& name, dev_t device,
                         const std::string& path) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return absl::OkStatus();
  const std::string what = "cannot remove " + path;
  if (errno != EISDIR) return ChangeStatus(errno, what);
  const Fd inner(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!inner.ok() || fstat(inner.get(), &status) != 0) return ChangeStatus(errno, what);
  if (status.st_dev != device) {
    return absl::FailedPreconditionError(what + ": another file system is mounted there");
  }
  const absl::StatusOr<std::vector<std::string>> names = Names(inner.get(), path);
  if (!names.ok()) return names.status();
  for (const std::string& below : *names) {
    absl::Status removed = RemoveEntry(inner.get(), below, device, absl::StrCat(path, "/", below));
    if (!removed.ok()) return removed;
  }
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  return ChangeStatus(errno, what);
}

// Where the entry is, links on the way resolved.
absl::StatusOr<std::string> RealPath(const DirectoryEntry& entry) {
  char directory[PATH_MAX];
  const std::string link = absl::StrCat("/proc/self/fd/", entry.directory.get());
  const ssize_t size = readlink(link.c_str(), directory, sizeof directory);
  if (size < 0) return ChangeStatus(errno, "cannot resolve " + entry.path);
  const std::string found(directory, static_cast<size_t>(size));
  return found == "/" ? "/" + entry.name : found + "/" + entry.name;
}

absl::Status CheckRemovable(const std::string& path, const std::vector<MountEntry>& mounts) {
  if (std::count(path.begin(), path.end(), '/') < 2) {
    return absl::InvalidArgumentError("will not remove " + path);
  }
  for (const MountEntry& mount : mounts) {
    if (mount.mount_point == path || absl::StartsWith(mount.mount_point, path + "/")) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot remove ", path, ": a file system is mounted at ", mount.mount_point));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RemoveHere(const std::string& path, const std::vector<MountEntry>& mounts) {
  const absl::StatusOr<DirectoryEntry> entry = OpenEntry(path);
  if (absl::IsNotFound(entry.status())) return absl::OkStatus();
  if (!entry.ok()) return entry.status();
  const absl::StatusOr<std::string> real = RealPath(*entry);
  if (!real.ok()) return real.status();
  if (absl::Status status = CheckRemovable(*real, mounts); !status.ok()) return status;
  const int directory = entry->directory.get();
  struct stat status {};
  if (fstat(directory, &status) != 0) return ChangeStatus(errno, "cannot remove " + path);
  absl::Status removed = RemoveEntry(directory, entry->name, status.st_dev, path);
  return removed.ok() ? entry->Sync() : removed;
}

}  // namespace connect_ha
