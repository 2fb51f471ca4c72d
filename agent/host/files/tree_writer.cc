#include "agent/host/files/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

absl::Status Failed(int error, const std::string& what) {
  const absl::Status status = ChangeStatus(error, what);
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat(status.message(), "\nfix: free space on that disk, see: df -h"));
}

}  // namespace

TreeFile::TreeFile(Fd file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), digest_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
}

absl::Status TreeFile::Append(const void* data, size_t size) {
  EVP_DigestUpdate(digest_.get(), data, size);
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(file_.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(errno, "cannot write " + path_);
    bytes += written;
    size -= static_cast<size_t>(written);
    size_ += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TreeFile::Finish(uint32_t mode) {
  if (fchmod(file_.get(), mode) != 0) return Failed(errno, "cannot write " + path_);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(digest_.get(), bytes.data(), &size) != 1) {
    return absl::InternalError("OpenSSL gives no SHA-256");
  }
  return Hex(std::string_view(reinterpret_cast<char*>(bytes.data()), size));
}

absl::StatusOr<TreeWriter> TreeWriter::Create(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0) return Failed(errno, "cannot make " + directory);
  Fd root(open(directory.c_str(), kDirectoryFlags));
  // The group is its parent's where that is setgid.
  if (!root.ok() || fchown(root.get(), geteuid(), getegid()) != 0 ||
      fchmod(root.get(), 0700) != 0) {
    const int error = errno;
    rmdir(directory.c_str());
    return Failed(error, "cannot make " + directory);
  }
  return TreeWriter(directory, std::move(root));
}

std::string TreeWriter::PathOf(std::string_view name) const {
  return absl::StrCat(directory_, "/", absl::string_view(name.data(), name.size()));
}

absl::StatusOr<Fd> TreeWriter::OpenDirectory(std::string_view name) {
  Fd here(openat(root_.get(), ".", kDirectoryFlags));
  size_t start = 0;
  while (here.ok() && start < name.size()) {
    const size_t end = std::min(name.find('/', start), name.size());
    const std::string part(name.substr(start, end - start));
    const bool made = mkdirat(here.get(), part.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) break;
    Fd next(openat(here.get(), part.c_str(), kDirectoryFlags));
    if (!next.ok() || (made && fchmod(next.get(), 0755) != 0)) break;
    here = std::move(next);
    start = end + 1;
  }
  if (!here.ok() || start < name.size()) return Failed(errno, "cannot make " + PathOf(name));
  return here;
}

absl::StatusOr<Fd> TreeWriter::OpenParent(const std::string& name) {
  const size_t slash = name.rfind('/');
  return OpenDirectory(std::string_view(name).substr(0, slash == std::string::npos ? 0 : slash));
}

absl::Status TreeWriter::MakeDirectory(const std::string& name) {
  return OpenDirectory(name).status();
}

absl::StatusOr<TreeFile> TreeWriter::CreateFile(const std::string& name) {
  const absl::StatusOr<Fd> parent = OpenParent(name);
  if (!parent.ok()) return parent.status();
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd file(openat(parent->get(), LastPart(name).c_str(), flags, 0600));
  if (!file.ok()) return Failed(errno, "cannot write " + PathOf(name));
  return TreeFile(std::move(file), PathOf(name));
}

absl::Status TreeWriter::HardLink(const std::string& name, const std::string& to) {
  const absl::StatusOr<Fd> from = OpenParent(to);
  if (!from.ok()) return from.status();
  const absl::StatusOr<Fd> parent = OpenParent(name);
  if (!parent.ok()) return parent.status();
  if (linkat(from->get(), LastPart(to).c_str(), parent->get(), LastPart(name).c_str(), 0) == 0) {
    return absl::OkStatus();
  }
  return Failed(errno, "cannot make " + PathOf(name));
}

absl::Status TreeWriter::Link(const std::string& name, const std::string& target) {
  const absl::StatusOr<Fd> parent = OpenParent(name);
  if (!parent.ok()) return parent.status();
  if (symlinkat(target.c_str(), parent->get(), LastPart(name).c_str()) == 0) {
    return absl::OkStatus();
  }
  return Failed(errno, "cannot make " + PathOf(name));
}

absl::Status TreeWriter::Finish() {
  // One for thousands of files: each on its own takes a disk minutes.
  if (fchmod(root_.get(), 0755) != 0 || syncfs(root_.get()) != 0) {
    return Failed(errno, "cannot write " + directory_);
  }
  return absl::OkStatus();
}

void TreeWriter::Remove() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace connect_ha
