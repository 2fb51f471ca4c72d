// A new directory and what goes into it, never through a link.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/fd.h"

namespace connect_ha {

// A file as it is written, and its digest as it grows.
class TreeFile {
 public:
  TreeFile(Fd file, std::string path);

  absl::Status Append(const void* data, size_t size);
  uint64_t size() const { return size_; }
  // Gives it its mode; the SHA-256 of all that was appended, in hex.
  absl::StatusOr<std::string> Finish(uint32_t mode);

 private:
  struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  Fd file_;
  std::string path_;
  uint64_t size_ = 0;
  std::unique_ptr<EVP_MD_CTX, DigestDeleter> digest_;
};

// Names are relative, without "..", as CleanEntryName gives them. ResourceExhausted: the disk is
// full. Everything belongs to this process's account.
class TreeWriter {
 public:
  // Nobody else's until Finish. AlreadyExists: something is there.
  static absl::StatusOr<TreeWriter> Create(const std::string& directory);

  absl::Status MakeDirectory(const std::string& name);  // may be there; with those above it
  absl::StatusOr<TreeFile> CreateFile(const std::string& name);
  absl::Status HardLink(const std::string& name, const std::string& to);
  absl::Status Link(const std::string& name, const std::string& target);
  // Durable and readable to all.
  absl::Status Finish();
  // What was made goes, as far as it will.
  void Remove();

 private:
  TreeWriter(std::string directory, Fd root)
      : directory_(std::move(directory)), root_(std::move(root)) {}
  // The directory of that name, made where it is missing.
  absl::StatusOr<Fd> OpenDirectory(std::string_view name);
  absl::StatusOr<Fd> OpenParent(const std::string& name);
  std::string PathOf(std::string_view name) const;

  std::string directory_;
  Fd root_;
};

}  // namespace connect_ha
