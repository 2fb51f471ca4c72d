#include "agent/host/files/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr size_t kLargestFile = 32 * 1024 * 1024;
// On the stack of each thread that reads, which never gets smaller again.
constexpr size_t kPieceBytes = 16 * 1024;

FileStatus::Kind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return FileStatus::Kind::kFile;
  if (S_ISDIR(mode)) return FileStatus::Kind::kDirectory;
  if (S_ISLNK(mode)) return FileStatus::Kind::kLink;
  return FileStatus::Kind::kOther;
}

// Opens a regular file; a device or a pipe in its place is refused, since reading one may wait.
absl::StatusOr<Fd> OpenRegular(const std::string& path) {
  Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.ok()) return ErrnoStatus(errno, "cannot read " + path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return ErrnoStatus(errno, "cannot read " + path);
  if (S_ISDIR(status.st_mode)) return ErrnoStatus(EISDIR, "cannot read " + path);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError("cannot read " + path + ": not a regular file");
  }
  return file;
}

// The next bytes of the file, as many as `buffer` holds or fewer; 0 at its end.
absl::StatusOr<size_t> ReadSome(int file, const std::string& path, char* buffer, size_t size) {
  while (true) {
    const ssize_t count = read(file, buffer, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return ErrnoStatus(errno, "cannot read " + path);
  }
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

Time ToTime(const timespec& time) {
  return Time(std::chrono::microseconds(static_cast<int64_t>(time.tv_sec) * 1'000'000 +
                                        time.tv_nsec / 1000));
}

struct DigestDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

absl::StatusOr<std::string> ReadFileHere(const std::string& path) {
  const absl::StatusOr<Fd> file = OpenRegular(path);
  if (!file.ok()) return file.status();
  std::string content;
  std::array<char, kPieceBytes> buffer;
  while (content.size() <= kLargestFile) {
    const absl::StatusOr<size_t> count = ReadSome(file->get(), path, buffer.data(), buffer.size());
    if (!count.ok()) return count.status();
    if (*count == 0) return content;
    content.append(buffer.data(), *count);
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot read ", path, ": larger than ", kLargestFile, " bytes"));
}

absl::StatusOr<std::string> ReadPieceHere(const std::string& path, uint64_t offset, size_t most) {
  const absl::StatusOr<Fd> file = OpenRegular(path);
  if (!file.ok()) return file.status();
  if (lseek(file->get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return ErrnoStatus(errno, "cannot read " + path);
  }
  std::string piece(most, '\0');
  const absl::StatusOr<size_t> count = ReadSome(file->get(), path, piece.data(), piece.size());
  if (!count.ok()) return count.status();
  piece.resize(*count);
  return piece;
}

absl::StatusOr<FileStatus> StatHere(const std::string& path, bool follow) {
  struct stat found {};
  const int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (fstatat(AT_FDCWD, path.c_str(), &found, flags) != 0) {
    return ErrnoStatus(errno, "cannot look at " + path);
  }
  FileStatus status;
  status.kind = KindOf(found.st_mode);
  status.mode = found.st_mode & 07777;
  status.uid = found.st_uid;
  status.gid = found.st_gid;
  status.size_bytes = static_cast<uint64_t>(found.st_size);
  status.inode = found.st_ino;
  status.device = found.st_dev;
  status.modified_at = ToTime(found.st_mtim);
  status.changed_at = ToTime(found.st_ctim);
  return status;
}

absl::StatusOr<FileSystemUse> UseHere(const std::string& path) {
  struct statvfs use {};
  if (statvfs(path.c_str(), &use) != 0) return ErrnoStatus(errno, "cannot measure " + path);
  FileSystemUse result;
  result.size_bytes = static_cast<uint64_t>(use.f_blocks) * use.f_frsize;
  result.free_bytes = static_cast<uint64_t>(use.f_bavail) * use.f_frsize;
  result.read_only = (use.f_flag & ST_RDONLY) != 0;
  return result;
}

absl::StatusOr<std::string> ReadLinkHere(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return ErrnoStatus(errno, "cannot read the link " + path);
  target.resize(static_cast<size_t>(size));
  return target;
}

absl::StatusOr<std::vector<std::string>> ListDirectoryHere(const std::string& path, size_t most) {
  const std::unique_ptr<DIR, DirectoryCloser> directory(opendir(path.c_str()));
  if (directory == nullptr) return ErrnoStatus(errno, "cannot list " + path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    if (names.size() > most) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot list ", path, ": more than ", most, " names are in it"));
    }
  }
  if (errno != 0) return ErrnoStatus(errno, "cannot list " + path);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::string> HashPieces(const std::string& path, const std::string& algorithm,
                                       std::chrono::milliseconds within, const NextPiece& next) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  const EVP_MD* digest = EVP_get_digestbyname(algorithm.c_str());
  if (digest == nullptr) return absl::InvalidArgumentError("no such digest: " + algorithm);
  const std::unique_ptr<EVP_MD_CTX, DigestDeleter> context(EVP_MD_CTX_new());
  if (EVP_DigestInit_ex(context.get(), digest, nullptr) != 1) {
    return absl::UnavailableError(algorithm + " is not offered by this system's OpenSSL");
  }
  while (true) {
    const absl::StatusOr<absl::string_view> piece = next();
    if (!piece.ok()) return piece.status();
    if (piece->empty()) break;
    EVP_DigestUpdate(context.get(), piece->data(), piece->size());
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("could not read all of ", path, " in ", within.count() / 1000, " s"));
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), bytes.data(), &size);
  return Hex(std::string_view(reinterpret_cast<char*>(bytes.data()), size));
}

absl::StatusOr<std::string> HashFileHere(const std::string& path, const std::string& algorithm,
                                         std::chrono::milliseconds within) {
  const absl::StatusOr<Fd> file = OpenRegular(path);
  if (!file.ok()) return file.status();
  std::array<char, kPieceBytes> buffer;
  const auto next = [&]() -> absl::StatusOr<absl::string_view> {
    const absl::StatusOr<size_t> count = ReadSome(file->get(), path, buffer.data(), buffer.size());
    if (!count.ok()) return count.status();
    return absl::string_view(buffer.data(), *count);
  };
  return HashPieces(path, algorithm, within, next);
}

}  // namespace connect_ha
