// Whatever the archive: what is unpacked is what is said to be, each link stays in the directory,
// nothing is made outside it, and after an error nothing is left.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "agent/host/fd.h"
#include "agent/host/files/unpack.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 512;

void Require(bool holds) {
  if (!holds) std::abort();
}

// A directory for this process alone; in memory where there is such a place, as each try is synced.
class Room {
 public:
  Room() : path_(fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string()) {
    path_ += "/connect-ha-unpack-XXXXXX";
    Require(mkdtemp(path_.data()) != nullptr);
  }
  ~Room() { fs::remove_all(path_); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Without this, a header that was changed is one that no reader looks at.
void MendSums(std::string& archive) {
  for (size_t at = 0; at + kBlock <= archive.size(); at += kBlock) {
    if (archive.compare(at + 257, 5, "ustar") != 0) continue;
    archive.replace(at + 148, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = at; i < at + kBlock; ++i) sum += static_cast<unsigned char>(archive[i]);
    char text[8];
    snprintf(text, sizeof text, "%06o", sum);
    archive.replace(at + 148, 7, text, 7);
  }
}

Fd InMemory(const std::string& bytes) {
  Fd file(memfd_create("archive", MFD_CLOEXEC));
  Require(file.ok());
  Require(write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

void CheckFile(const std::string& root, const UnpackedFile& file) {
  const std::string path = root + "/" + file.path;
  struct stat status {};
  Require(lstat(path.c_str(), &status) == 0);
  if (S_ISLNK(status.st_mode)) {
    Require(file.sha256.empty() && fs::read_symlink(path) == file.link);
    const std::string target = fs::weakly_canonical(path).string() + "/";
    Require(target.compare(0, root.size() + 1, root + "/") == 0);
    return;
  }
  Require(S_ISREG(status.st_mode) && (status.st_mode & 07777) == file.mode);
  Require(file.mode == 0755 || file.mode == 0644);
  std::ifstream content(path, std::ios::binary);
  Require(file.sha256 == Hex(Sha256(std::string(std::istreambuf_iterator<char>(content), {}))));
}

void CheckTree(const std::string& root, const std::vector<UnpackedFile>& files) {
  size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_symlink() || !entry.is_directory()) ++found;
  }
  Require(found == files.size());
  for (size_t i = 1; i < files.size(); ++i) Require(files[i - 1].path < files[i].path);
  for (const UnpackedFile& file : files) CheckFile(root, file);
}

}  // namespace
}  // namespace connect_ha

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connect_ha;
  static const Room room;
  std::string archive(reinterpret_cast<const char*>(data), size);
  MendSums(archive);
  const Fd file = InMemory(archive);
  UnpackRequest request;
  request.archive = "/proc/self/fd/" + std::to_string(file.get());
  request.directory = room.path() + "/made";
  request.strip_components = size > 0 ? data[size - 1] % 3 : 0;
  request.limit_bytes = 64 * 1024;
  request.limit_entries = 50;
  const auto files = UnpackArchive(request);
  if (files.ok()) {
    CheckTree(request.directory, *files);
    fs::remove_all(request.directory);
  }
  Require(fs::is_empty(room.path()));
  return 0;
}
