// FakeHost's files.
#include <openssl/evp.h>

#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {

void FakeHost::SetFile(const std::string& path, FakeFile file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FakeNode node;
  node.content = std::move(file.content);
  node.mode = file.mode;
  node.uid = file.uid;
  node.gid = file.gid;
  node.modified_at = file.modified_at;
  node.changed_at = file.changed_at;
  files_.Put(path, std::move(node));
}

void FakeHost::SetFile(const std::string& path, const std::string& content) {
  FakeFile file;
  file.content = content;
  SetFile(path, std::move(file));
}

void FakeHost::SetDirectory(const std::string& path, uint32_t mode, uint32_t uid, uint32_t gid) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FakeNode node;
  node.kind = FileStatus::Kind::kDirectory;
  node.mode = mode;
  node.uid = uid;
  node.gid = gid;
  files_.Put(path, std::move(node));
}

void FakeHost::SetLink(const std::string& path, const std::string& target) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FakeNode node;
  node.kind = FileStatus::Kind::kLink;
  node.mode = 0777;
  node.content = target;
  files_.Put(path, std::move(node));
}

void FakeHost::SetOwner(const std::string& path, uint32_t mode, uint32_t uid, uint32_t gid) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FakeNode& node = files_.At(path);
  node.mode = mode;
  node.uid = uid;
  node.gid = gid;
}

void FakeHost::Erase(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  files_.Erase(path);
}

absl::StatusOr<const FakeNode*> FakeHost::Find(const std::string& path, bool follow_last) {
  if (const absl::Status status = Enter(path); !status.ok()) return status;
  return files_.Find(path, follow_last);
}

absl::StatusOr<std::string> FakeHost::ReadFile(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<const FakeNode*> node = Find(path, true);
  if (!node.ok()) return node.status();
  if ((*node)->kind == FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("is a directory: " + path);
  }
  return (*node)->content;
}

absl::StatusOr<FileStatus> FakeHost::Status(const std::string& path, bool follow_last) {
  const absl::StatusOr<const FakeNode*> node = Find(path, follow_last);
  if (!node.ok()) return node.status();
  FileStatus status;
  status.kind = (*node)->kind;
  status.mode = (*node)->mode;
  status.uid = (*node)->uid;
  status.gid = (*node)->gid;
  status.size_bytes = (*node)->content.size();
  status.inode = (*node)->inode;
  status.device = 1;
  status.modified_at = (*node)->modified_at;
  status.changed_at = std::max((*node)->changed_at, (*node)->modified_at);
  return status;
}

absl::StatusOr<FileStatus> FakeHost::Stat(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Status(path, true);
}

absl::StatusOr<FileStatus> FakeHost::LStat(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Status(path, false);
}

absl::StatusOr<std::string> FakeHost::ReadLink(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<const FakeNode*> node = Find(path, false);
  if (!node.ok()) return node.status();
  if ((*node)->kind != FileStatus::Kind::kLink) {
    return absl::FailedPreconditionError("not a symbolic link: " + path);
  }
  return (*node)->content;
}

absl::StatusOr<std::vector<std::string>> FakeHost::ListDirectory(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(path); !status.ok()) return status;
  return files_.List(path);
}

absl::StatusOr<std::string> FakeHost::HashFile(const std::string& path, const char* algorithm) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  const EVP_MD* digest = EVP_get_digestbyname(algorithm);
  if (digest == nullptr) return absl::InvalidArgumentError(absl::StrCat("no digest ", algorithm));
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(content->data(), content->size(), bytes, &size, digest, nullptr);
  return Hex(std::string_view(reinterpret_cast<char*>(bytes), size));
}

absl::StatusOr<FileSystemUse> FakeHost::Use(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(path); !status.ok()) return status;
  // The nearest one above the path, as statfs answers for the file system that holds it.
  for (std::string at = path;; at.resize(at.rfind('/'))) {
    const auto it = uses_.find(at.empty() ? "/" : at);
    if (it != uses_.end()) return it->second;
    if (at.empty() || at == "/") return absl::NotFoundError("no such file: " + path);
  }
}

// Without the lock: the work may take as long as a test wants, and look at this machine.
absl::StatusOr<std::string> FakeHost::WorkOnStorage(char operation, const std::string& directory,
                                                    const std::string& request) {
  FakeWork work;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::Status status = EnterChange("WorkOnStorage", directory);
    if (!status.ok()) return status;
    work = work_;
  }
  if (!work) return absl::FailedPreconditionError(directory + " is on no network file system");
  return work(operation, directory, request);
}

absl::Status FakeHost::WriteFile(const std::string& path, const std::string& content,
                                 const FileAttributes& attributes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("WriteFile", path); !status.ok()) return status;
  return files_.Write(path, content, attributes, now_);
}

absl::Status FakeHost::SetAttributes(const std::string& path, const FileAttributes& attributes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("SetAttributes", path); !status.ok()) return status;
  return files_.SetAttributes(path, attributes);
}

absl::Status FakeHost::MakeDirectory(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("MakeDirectory", path); !status.ok()) return status;
  return files_.MakeDirectory(path);
}

absl::Status FakeHost::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("Rename", to); !status.ok()) return status;
  return files_.Rename(from, to);
}

absl::Status FakeHost::Remove(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  bool halfway = false;
  if (const absl::Status status = EnterChange("Remove", path, &halfway); !status.ok()) {
    return status;
  }
  absl::Status status = files_.Remove(path, halfway);
  return halfway ? absl::AbortedError("killed") : status;
}

}  // namespace connect_ha
