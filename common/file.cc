#include "common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status ErrnoStatus(const char* doing, const std::string& path) {
  const int error = errno;
  const std::string message =
      absl::StrCat("cannot ", doing, " ", path, ": ", std::generic_category().message(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat(message, "; fix: run it as root"));
  }
  return absl::UnknownError(message);
}

bool WriteAll(int fd, const std::string& content) {
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(fd, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    written += static_cast<size_t>(count);
  }
  return true;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What root writes into the directory of a service's own user is that user's.
bool GiveToOwnerOf(const std::string& dir, int fd) {
  struct stat status;
  return geteuid() != 0 ||
         (stat(dir.c_str(), &status) == 0 && fchown(fd, status.st_uid, status.st_gid) == 0);
}

absl::Status SyncDirectory(const std::string& dir) {
  const Descriptor fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return ErrnoStatus("sync", dir);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus("read", path);
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus("read", path);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
  }
}

absl::Status WriteSmallFile(const std::string& path, const std::string& content, mode_t mode) {
  const std::string temporary = path + ".tmp";
  // What a killed writer left; it may have another mode or owner.
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return ErrnoStatus("write", temporary);
  {
    const Descriptor fd(
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (fd.get() < 0) return ErrnoStatus("write", temporary);
    // The umask may have taken bits away; it never adds any.
    if (fchmod(fd.get(), mode) != 0 || !GiveToOwnerOf(DirectoryOf(path), fd.get()) ||
        !WriteAll(fd.get(), content) || fsync(fd.get()) != 0) {
      return ErrnoStatus("write", temporary);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return ErrnoStatus("write", path);
  return SyncDirectory(DirectoryOf(path));
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus("rename", from);
  return SyncDirectory(DirectoryOf(to));
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus("remove", path);
  return SyncDirectory(DirectoryOf(path));
}

bool FileExists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

absl::Status MakeDirectories(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0) return SyncDirectory(DirectoryOf(path));
  if (errno == EEXIST) {
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return absl::OkStatus();
    errno = ENOTDIR;
    return ErrnoStatus("make the directory", path);
  }
  if (errno != ENOENT || DirectoryOf(path) == path) {
    return ErrnoStatus("make the directory", path);
  }
  if (absl::Status status = MakeDirectories(DirectoryOf(path), mode); !status.ok()) return status;
  return MakeDirectories(path, mode);
}

}  // namespace connect_ha
