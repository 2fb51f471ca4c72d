#include "agent/assignment/trusted_signers.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/spec/signed_spec.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr size_t kMostSigners = 16;
constexpr size_t kLargestKeyFile = 4096;
constexpr uint32_t kOthersMayWrite = 0022;

absl::Status Refuse(const std::string& path, const std::string& why, const std::string& fix) {
  return absl::FailedPreconditionError(absl::StrCat(path, " ", why, "\nfix: ", fix));
}

absl::Status CheckRoots(const std::string& path, const FileStatus& status) {
  if (status.uid == 0 && (status.mode & kOthersMayWrite) == 0) return absl::OkStatus();
  return Refuse(path, "may be changed by others than root",
                absl::StrCat("look who changed it, then: chown root: ", ShellOperand(path),
                             " && chmod go-w ", ShellOperand(path)));
}

absl::StatusOr<std::string> ReadKey(Host& host, const std::string& path) {
  const std::string fix = absl::StrCat(
      "write the one line into it that connect-ha key create printed, or: rm ", ShellOperand(path));
  if (!absl::EndsWith(path, ".pub"))
    return Refuse(path, "is no NAME.pub", absl::StrCat("rm ", ShellOperand(path)));
  const absl::StatusOr<FileStatus> status = host.LStat(path);
  if (!status.ok()) return status.status();
  if (status->kind != FileStatus::Kind::kFile) return Refuse(path, "is not a file", fix);
  if (absl::Status roots = CheckRoots(path, *status); !roots.ok()) return roots;
  if (status->size_bytes > kLargestKeyFile) return Refuse(path, "is no public key", fix);
  const absl::StatusOr<std::string> text = host.ReadFile(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::string> key = ParsePublicKeyLine(*text);
  if (!key.ok()) return Refuse(path, std::string(key.status().message()), fix);
  return *key;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadTrustedSigners(Host& host,
                                                            const std::string& directory) {
  std::vector<std::string> keys;
  // A link that leads nowhere is there.
  const absl::StatusOr<FileStatus> status = host.LStat(directory);
  if (absl::IsNotFound(status.status())) return keys;
  if (!status.ok()) return status.status();
  if (status->kind != FileStatus::Kind::kDirectory) {
    return Refuse(
        directory, "is not a directory",
        absl::StrCat("look what it is, then: rm ", ShellOperand(directory), " && mkdir -m 0755 ",
                     ShellOperand(directory), ", and a NAME.pub for each signer in it"));
  }
  if (absl::Status roots = CheckRoots(directory, *status); !roots.ok()) return roots;
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(directory);
  // That it has gone meanwhile is no leave to take anything.
  if (!names.ok()) return absl::UnknownError(names.status().message());
  if (names->empty() || names->size() > kMostSigners) {
    return Refuse(directory,
                  absl::StrCat("has ", names->size(), " keys; it must have 1 to ", kMostSigners),
                  absl::StrCat("put a NAME.pub for each signer into it; or, to take what is not "
                               "signed, too: rmdir ",
                               directory));
  }
  for (const std::string& name : *names) {
    const absl::StatusOr<std::string> key = ReadKey(host, absl::StrCat(directory, "/", name));
    if (absl::IsNotFound(key.status())) return absl::UnknownError(key.status().message());
    if (!key.ok()) return key.status();
    keys.push_back(*key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace connect_ha
