#include "agent/host/processes/mark_work.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/fd_io.h"
#include "agent/host/processes/storage_work.h"
#include "common/text/shell_word.h"
#include "common/tls/identity.h"
#include "connect_ha/v1/storage_work.pb.h"

namespace connect_ha {
namespace {

constexpr size_t kMostBytes = 4096;
constexpr size_t kLongestName = 200;

// As the names of clusters and ids are. What is on a shared file system is input from outside, and
// becomes part of what people are told to type.
bool IsMark(const v1::ClusterMark& mark) {
  return CheckName("cluster", mark.cluster()).ok() && CheckName("id", mark.id()).ok();
}

absl::Status ToStatus(const StorageTrouble& trouble) {
  if (trouble.ok()) return absl::OkStatus();
  if (trouble.error == EXDEV) return absl::AbortedError(trouble.text);
  if (trouble.error == 0) return absl::FailedPreconditionError(trouble.text);
  return absl::Status(ChangeStatus(trouble.error, "").code(), trouble.text);
}

absl::Status NoneOfOurs(const std::string& path, const std::string& what) {
  return absl::DataLossError(absl::StrCat(path, what, "\nfix: look what it is: ls -l ",
                                          ShellWord(path), "; head -c 300 ", ShellWord(path)));
}

absl::StatusOr<std::string> ReadBounded(int file, const std::string& path) {
  std::string text;
  if (!ReadFully(file, kMostBytes + 1, text)) return ErrnoStatus(errno, "cannot read " + path);
  if (text.size() <= kMostBytes) return text;
  return NoneOfOurs(path, " is too large to be a cluster's mark");
}

absl::StatusOr<std::string> ReadMark(const Fd& folder, const std::string& path) {
  const Fd file(openat(folder.get(), kMarkName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.ok() && errno == ELOOP) return NoneOfOurs(path, " is a link");
  if (!file.ok()) return ErrnoStatus(errno, "cannot open " + path);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return ErrnoStatus(errno, "cannot look at " + path);
  if (!S_ISREG(found.st_mode)) return NoneOfOurs(path, " is not a file");
  const absl::StatusOr<std::string> text = ReadBounded(file.get(), path);
  if (!text.ok()) return text.status();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::ClusterMark mark;
  if (!google::protobuf::util::JsonStringToMessage(*text, &mark, options).ok() || !IsMark(mark)) {
    return NoneOfOurs(path, " is no cluster's mark");
  }
  return mark.SerializeAsString();
}

absl::Status WriteWhole(int file, const std::string& text, const std::string& what) {
  // For people, whatever this process's umask is.
  if (WriteFully(file, text) && fchmod(file, 0644) == 0 && fsync(file) == 0) {
    return absl::OkStatus();
  }
  return ChangeStatus(errno, what);
}

// Where another node was there first, its mark stays.
absl::Status GiveName(const Fd& folder, const std::string& temporary, const std::string& what) {
  const int at = folder.get();
  if (linkat(at, temporary.c_str(), at, kMarkName, 0) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return ChangeStatus(errno, what);
  // A file system without hard links.
  if (renameat2(at, temporary.c_str(), at, kMarkName, RENAME_NOREPLACE) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return ChangeStatus(errno, what);
}

absl::Status WriteMark(const Fd& folder, const v1::MarkRequest& request, const std::string& path) {
  const std::string what = "cannot write " + path;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(request.mark(), &text).ok()) {
    return absl::InvalidArgumentError("a malformed request");
  }
  const std::string temporary = absl::StrCat(".", kMarkName, ".", request.node(), ".new");
  // Of a call that was killed.
  if (unlinkat(folder.get(), temporary.c_str(), 0) != 0 && errno != ENOENT) {
    return ChangeStatus(errno, what);
  }
  const Fd file(openat(folder.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return ChangeStatus(errno, what);
  const StorageTrouble trouble = CheckFolderIsOurs(folder, file, path.substr(0, path.rfind('/')));
  absl::Status status = ToStatus(trouble);
  if (status.ok()) status = WriteWhole(file.get(), text + "\n", what);
  if (status.ok()) status = GiveName(folder, temporary, what);
  unlinkat(folder.get(), temporary.c_str(), 0);
  if (status.ok() && fsync(folder.get()) != 0) return ChangeStatus(errno, what);
  return status;
}

bool IsRight(const v1::MarkRequest& request) {
  if (!request.has_mark()) return true;
  const std::string& node = request.node();
  return !node.empty() && node.size() <= kLongestName && node.find('/') == std::string::npos &&
         node.find('\0') == std::string::npos && IsMark(request.mark());
}

}  // namespace

absl::StatusOr<std::string> ClusterMarkHere(const std::string& directory,
                                            const std::string& request) {
  v1::MarkRequest wanted;
  if (!wanted.ParseFromString(request) || !IsRight(wanted)) {
    return absl::InvalidArgumentError("a malformed request");
  }
  const std::string path = absl::StrCat(directory, "/", kOwnFolder, "/", kMarkName);
  Fd shared;
  StorageTrouble trouble = OpenShared(directory, wanted.device(), shared);
  if (!trouble.ok()) return ToStatus(trouble);
  struct stat found {};
  if (!wanted.has_mark() && fstatat(shared.get(), kOwnFolder, &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, absl::StrCat("cannot look at ", directory, "/", kOwnFolder));
  }
  Fd folder;
  trouble = OpenOwnFolder(shared, directory, folder);
  if (!trouble.ok()) return ToStatus(trouble);
  absl::StatusOr<std::string> mark = ReadMark(folder, path);
  if (!absl::IsNotFound(mark.status()) || !wanted.has_mark()) return mark;
  absl::Status written = WriteMark(folder, wanted, path);
  if (!written.ok()) return written;
  return ReadMark(folder, path);
}

}  // namespace connect_ha
