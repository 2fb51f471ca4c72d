// A file that grows from where an earlier try left it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/fd.h"

namespace connect_ha {

// Not for two threads, or two processes, at a time. Errors name the file or its directory;
// ResourceExhausted: beyond the limit, or no room on the disk.
class PartialFile {
 public:
  // Made if it is not there; 0600. FailedPrecondition: a link, or something else that is no file,
  // is in its place. `source`: where it comes from, for messages.
  static absl::StatusOr<PartialFile> Open(const std::string& path, const std::string& source,
                                          uint64_t limit_bytes);

  uint64_t size() const { return size_; }
  // Whether a file of so many bytes may be, and has room, before any of them is fetched.
  absl::Status Expect(uint64_t total_bytes) const;
  absl::Status Append(const char* data, size_t count);
  // Forgets what is there.
  absl::Status Restart();
  absl::Status Sync();

 private:
  PartialFile() = default;
  absl::Status WriteError(int error) const;
  absl::Status TooLarge() const;

  std::string path_;
  std::string source_;
  uint64_t limit_bytes_ = 0;
  Fd file_;
  uint64_t size_ = 0;
};

}  // namespace connect_ha
