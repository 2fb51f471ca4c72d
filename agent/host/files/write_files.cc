#include "agent/host/files/write_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/fd_io.h"
#include "agent/host/files/directory_entry.h"

namespace connect_ha {
namespace {

// The owner first: changing it takes setuid bits away.
int Own(int file, const FileAttributes& attributes) {
  const int result = fchown(file, attributes.uid, attributes.gid);
  return result != 0 ? result : fchmod(file, attributes.mode);
}

absl::Status WriteTemporary(const DirectoryEntry& entry, const std::string& content,
                            const FileAttributes& attributes) {
  const std::string what = "cannot write " + entry.path;
  const std::string name = entry.TemporaryName();
  const int directory = entry.directory.get();
  // Of a run that was killed, or planted: O_EXCL follows no link.
  if (unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT) {
    return ChangeStatus(errno, what);
  }
  const Fd file(
      openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return ChangeStatus(errno, what);
  if (Own(file.get(), attributes) != 0) return ChangeStatus(errno, what);
  if (!WriteFully(file.get(), content) || fsync(file.get()) != 0) return ChangeStatus(errno, what);
  return absl::OkStatus();
}

// With its mode and owner from the moment that it has its name, whatever this process's umask is.
absl::Status MakeEntry(const DirectoryEntry& entry) {
  const std::string what = "cannot make the directory " + entry.path;
  const std::string name = entry.TemporaryName();
  const int directory = entry.directory.get();
  if (mkdirat(directory, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return ChangeStatus(errno, what);
  }
  const Fd made(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made.ok()) return ChangeStatus(errno, what);
  FileAttributes attributes;
  attributes.mode = 0755;
  attributes.uid = geteuid();
  attributes.gid = getegid();
  if (Own(made.get(), attributes) != 0 || fsync(made.get()) != 0) {
    return ChangeStatus(errno, what);
  }
  absl::Status status = RenameEntry(entry, name, entry);
  if (absl::IsAlreadyExists(status)) {
    // Somebody made it meanwhile.
    if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) return ChangeStatus(errno, what);
    return absl::OkStatus();
  }
  return status.ok() ? entry.Sync() : status;
}

}  // namespace

absl::Status WriteFileHere(const std::string& path, const std::string& content,
                           const FileAttributes& attributes) {
  const absl::StatusOr<DirectoryEntry> entry = OpenEntry(path);
  if (!entry.ok()) return entry.status();
  const int directory = entry->directory.get();
  const std::string name = entry->TemporaryName();
  absl::Status status = WriteTemporary(*entry, content, attributes);
  if (status.ok() && renameat(directory, name.c_str(), directory, entry->name.c_str()) != 0) {
    status = ChangeStatus(errno, "cannot write " + path);
  }
  if (status.ok()) return entry->Sync();
  unlinkat(directory, name.c_str(), 0);
  return status;
}

absl::Status SetAttributesHere(const std::string& path, const FileAttributes& attributes) {
  const absl::StatusOr<DirectoryEntry> entry = OpenEntry(path);
  if (!entry.ok()) return entry.status();
  const std::string what = "cannot change owner and mode of " + path;
  const Fd found(
      openat(entry->directory.get(), entry->name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!found.ok() || fstat(found.get(), &status) != 0) return ChangeStatus(errno, what);
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(what + ": neither a file nor a directory");
  }
  // The very file that was looked at, whatever has its name by now.
  const Fd file(open(absl::StrCat("/proc/self/fd/", found.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok() || Own(file.get(), attributes) != 0 || fsync(file.get()) != 0) {
    return ChangeStatus(errno, what);
  }
  return absl::OkStatus();
}

absl::Status MakeDirectoryHere(const std::string& path) {
  if (const auto entry = OpenEntry(path); absl::IsInvalidArgument(entry.status())) {
    return entry.status();
  }
  std::string made;
  for (const auto part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&made, "/", part);
    struct stat there {};
    const int error = stat(made.c_str(), &there) == 0 ? 0 : errno;
    if (error == 0 && S_ISDIR(there.st_mode)) continue;
    const std::string what = "cannot make the directory " + made;
    if (error == 0) return absl::FailedPreconditionError(what + ": a file is in the way");
    if (error != ENOENT) return ChangeStatus(error, what);
    if (lstat(made.c_str(), &there) == 0) {
      return absl::FailedPreconditionError(what + ": a link that leads nowhere is in the way");
    }
    const absl::StatusOr<DirectoryEntry> entry = OpenEntry(made);
    if (!entry.ok()) return entry.status();
    if (absl::Status status = MakeEntry(*entry); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RenameHere(const std::string& from, const std::string& to) {
  const absl::StatusOr<DirectoryEntry> source = OpenEntry(from);
  if (!source.ok()) return source.status();
  const absl::StatusOr<DirectoryEntry> target = OpenEntry(to);
  if (!target.ok()) return target.status();
  if (absl::Status status = RenameEntry(*source, source->name, *target); !status.ok()) {
    return status;
  }
  // Where it is now, before where it was: after a power cut it may be in both, never in neither.
  if (absl::Status status = target->Sync(); !status.ok()) return status;
  return source->Sync();
}

}  // namespace connect_ha
