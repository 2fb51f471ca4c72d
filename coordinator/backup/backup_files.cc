#include "coordinator/backup/backup_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/time.h"

namespace connect_ha {
namespace {

constexpr size_t kMostBytes = size_t{64} * 1024;
constexpr mode_t kForTheGroup = 0640;

absl::Status CannotRead(const std::string& path, int error) {
  const std::string message =
      absl::StrCat("cannot read ", path, ": ", std::generic_category().message(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

// Nothing that its writer puts there keeps us: no pipe, no device, no end.
absl::StatusOr<std::string> ReadOpened(const std::string& path, int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return CannotRead(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return absl::DataLossError(absl::StrCat(path, " is no regular file"));
  }
  std::string bytes(kMostBytes + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(fd, &bytes[size], bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(path, errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMostBytes) return absl::DataLossError(absl::StrCat(path, " is too long"));
  bytes.resize(size);
  return bytes;
}

template <typename Note>
absl::StatusOr<Note> ReadNote(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  const absl::StatusOr<std::string> bytes = ReadOpened(path, fd);
  close(fd);
  if (!bytes.ok()) return bytes.status();
  Note note;
  if (!note.ParseFromString(*bytes)) return absl::DataLossError(absl::StrCat(path, " is damaged"));
  return note;
}

}  // namespace

std::string BackupRequestFile(const std::string& room) { return room + "/request/run"; }
std::string BackupBeganFile(const std::string& room) { return room + "/result/began"; }
std::string BackupResultFile(const std::string& room) { return room + "/result/run"; }

absl::StatusOr<v1::BackupRequest> ReadBackupRequest(const std::string& path) {
  return ReadNote<v1::BackupRequest>(path);
}

absl::StatusOr<v1::BackupRun> ReadBackupRun(const std::string& path) {
  return ReadNote<v1::BackupRun>(path);
}

absl::Status WriteBackupNote(const std::string& path, const google::protobuf::Message& note) {
  return WriteSmallFile(path, note.SerializeAsString(), kForTheGroup);
}

bool IsSameRun(const v1::BackupRun& a, const v1::BackupRun& b) {
  return a.generation() == b.generation() && FromProto(a.asked_at()) == FromProto(b.asked_at());
}

}  // namespace connect_ha
