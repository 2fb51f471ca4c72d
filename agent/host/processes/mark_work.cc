#include "agent/host/processes/mark_work.h"

#include <fcntl.h>
#include <google/protobuf/message.h>
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

absl::StatusOr<std::string> ReadText(const Fd& folder, const char* name, const std::string& path) {
  const Fd file(openat(folder.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.ok() && errno == ELOOP) return NoneOfOurs(path, " is a link");
  if (!file.ok()) return ErrnoStatus(errno, "cannot open " + path);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return ErrnoStatus(errno, "cannot look at " + path);
  if (!S_ISREG(found.st_mode)) return NoneOfOurs(path, " is not a file");
  return ReadBounded(file.get(), path);
}

bool Parse(const std::string& text, google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage(text, &message, options).ok();
}

// Unset: there is none of ours.
absl::Status AddNotBefore(const Fd& folder, const std::string& path, v1::ClusterMark& mark) {
  const absl::StatusOr<std::string> text = ReadText(folder, kNotBeforeName, path);
  if (absl::IsNotFound(text.status()) || absl::IsDataLoss(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  v1::GenerationMark not_before;
  if (Parse(*text, not_before) && not_before.generation() > 0) {
    *mark.mutable_not_before() = not_before;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadMark(const Fd& folder, const std::string& own_folder) {
  const std::string path = absl::StrCat(own_folder, "/", kMarkName);
  const absl::StatusOr<std::string> text = ReadText(folder, kMarkName, path);
  if (!text.ok()) return text.status();
  v1::ClusterMark mark;
  if (!Parse(*text, mark) || !IsMark(mark)) return NoneOfOurs(path, " is no cluster's mark");
  mark.clear_not_before();
  absl::Status added = AddNotBefore(folder, absl::StrCat(own_folder, "/", kNotBeforeName), mark);
  if (!added.ok()) return added;
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

absl::Status TakePlace(const Fd& folder, const std::string& temporary, const std::string& what) {
  const int at = folder.get();
  if (renameat(at, temporary.c_str(), at, kNotBeforeName) == 0) return absl::OkStatus();
  return ChangeStatus(errno, what);
}

using NameGiver = absl::Status (*)(const Fd& folder, const std::string& temporary,
                                   const std::string& what);

// A file of this name below `own_folder`: written beside, and then given its name.
absl::Status WriteText(const Fd& folder, const std::string& own_folder, const std::string& name,
                       const std::string& node, const google::protobuf::Message& message,
                       NameGiver give_name) {
  const std::string what = absl::StrCat("cannot write ", own_folder, "/", name);
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text).ok()) {
    return absl::InvalidArgumentError("a malformed request");
  }
  const std::string temporary = absl::StrCat(".", name, ".", node, ".new");
  // Of a call that was killed.
  if (unlinkat(folder.get(), temporary.c_str(), 0) != 0 && errno != ENOENT) {
    return ChangeStatus(errno, what);
  }
  const Fd file(openat(folder.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return ChangeStatus(errno, what);
  const StorageTrouble trouble = CheckFolderIsOurs(folder, file, own_folder);
  absl::Status status = ToStatus(trouble);
  if (status.ok()) status = WriteWhole(file.get(), text + "\n", what);
  if (status.ok()) status = give_name(folder, temporary, what);
  unlinkat(folder.get(), temporary.c_str(), 0);
  if (status.ok() && fsync(folder.get()) != 0) return ChangeStatus(errno, what);
  return status;
}

absl::Status WriteMark(const Fd& folder, const std::string& own_folder,
                       const v1::MarkRequest& request) {
  v1::ClusterMark mark = request.mark();
  mark.clear_not_before();
  return WriteText(folder, own_folder, kMarkName, request.node(), mark, GiveName);
}

absl::Status WriteNotBefore(const Fd& folder, const std::string& own_folder,
                            const v1::MarkRequest& request) {
  return WriteText(folder, own_folder, kNotBeforeName, request.node(), request.not_before(),
                   TakePlace);
}

bool IsRight(const v1::MarkRequest& request) {
  if (!request.has_mark() && !request.has_not_before()) return true;
  const std::string& node = request.node();
  return !node.empty() && node.size() <= kLongestName && node.find('/') == std::string::npos &&
         node.find('\0') == std::string::npos && (!request.has_mark() || IsMark(request.mark())) &&
         request.not_before().lineage().size() <= kLongestName;
}

}  // namespace

absl::StatusOr<std::string> ClusterMarkHere(const std::string& directory,
                                            const std::string& request) {
  v1::MarkRequest wanted;
  if (!wanted.ParseFromString(request) || !IsRight(wanted)) {
    return absl::InvalidArgumentError("a malformed request");
  }
  const std::string own_folder = absl::StrCat(directory, "/", kOwnFolder);
  Fd shared;
  StorageTrouble trouble = OpenShared(directory, wanted.device(), shared);
  if (!trouble.ok()) return ToStatus(trouble);
  struct stat found {};
  if (!wanted.has_mark() && fstatat(shared.get(), kOwnFolder, &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "cannot look at " + own_folder);
  }
  Fd folder;
  trouble = OpenOwnFolder(shared, directory, folder);
  if (!trouble.ok()) return ToStatus(trouble);
  absl::StatusOr<std::string> mark = ReadMark(folder, own_folder);
  const bool is_due = absl::IsNotFound(mark.status()) && wanted.has_mark();
  if (!is_due && !(mark.ok() && wanted.has_not_before())) return mark;
  absl::Status written = is_due ? WriteMark(folder, own_folder, wanted) : absl::OkStatus();
  if (written.ok() && wanted.has_not_before()) {
    written = WriteNotBefore(folder, own_folder, wanted);
  }
  if (!written.ok()) return written;
  return ReadMark(folder, own_folder);
}

}  // namespace connect_ha
