#include "agent/host/network/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool IsFull(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

absl::Status NoRoom(const std::string& path, const std::string& why) {
  const std::string directory = DirectoryOf(path);
  return absl::ResourceExhaustedError(absl::StrCat("no room in ", directory, " for ", path, ": ",
                                                   why, "\nfix: free space there: du -xh ",
                                                   ShellOperand(directory), " | sort -h | tail"));
}

}  // namespace

absl::StatusOr<PartialFile> PartialFile::Open(const std::string& path, const std::string& source,
                                              uint64_t limit_bytes) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Fd file(open(path.c_str(), flags, 0600));
  if (!file.ok()) {
    const int error = errno;
    if (IsFull(error)) return NoRoom(path, "it cannot be made");
    if (error != ELOOP && error != ENXIO && error != EISDIR) {
      return ErrnoStatus(error, "cannot write " + path);
    }
  }
  struct stat status {};
  if (!file.ok() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot write ", path, ": something that is no file is in its place\nfix: rm -r ",
        ShellOperand(path)));
  }
  if (fchmod(file.get(), 0600) != 0) return ErrnoStatus(errno, "cannot write " + path);
  PartialFile partial;
  partial.path_ = path;
  partial.source_ = source;
  partial.limit_bytes_ = limit_bytes;
  partial.file_ = std::move(file);
  partial.size_ = static_cast<uint64_t>(status.st_size);
  return partial;
}

absl::Status PartialFile::TooLarge() const {
  return absl::ResourceExhaustedError(absl::StrCat(
      "cannot fetch ", source_, ": larger than the limit of ", limit_bytes_,
      " bytes\nfix: if it should be, set downloads: {limit_bytes: ...} in cluster.yaml"));
}

absl::Status PartialFile::Expect(uint64_t total_bytes) const {
  if (total_bytes > limit_bytes_) return TooLarge();
  struct statvfs use {};
  if (fstatvfs(file_.get(), &use) != 0) return ErrnoStatus(errno, "cannot look at " + path_);
  const uint64_t free_bytes = static_cast<uint64_t>(use.f_bavail) * use.f_frsize;
  const uint64_t needed = total_bytes > size_ ? total_bytes - size_ : 0;
  if (needed <= free_bytes) return absl::OkStatus();
  return NoRoom(path_, absl::StrCat(needed, " bytes are needed, ", free_bytes, " are free"));
}

absl::Status PartialFile::WriteError(int error) const {
  if (IsFull(error)) {
    return NoRoom(path_, absl::StrCat("full after ", size_, " bytes"));
  }
  return ErrnoStatus(error, "cannot write " + path_);
}

absl::Status PartialFile::Append(const char* data, size_t count) {
  if (count > limit_bytes_ || size_ > limit_bytes_ - count) return TooLarge();
  while (count > 0) {
    const ssize_t written = write(file_.get(), data, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(errno);
    data += written;
    count -= static_cast<size_t>(written);
    size_ += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status PartialFile::Restart() {
  if (ftruncate(file_.get(), 0) != 0) return WriteError(errno);
  size_ = 0;
  return absl::OkStatus();
}

absl::Status PartialFile::Sync() {
  return fsync(file_.get()) == 0 ? absl::OkStatus() : WriteError(errno);
}

}  // namespace connect_ha
