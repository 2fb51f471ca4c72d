// Reads of files that this process does itself. On a network file system they may never come
// back: LinuxHost sends those to a SharedReader.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

// As the calls of Host with these names. A file larger than 32 MiB is ResourceExhausted.
absl::StatusOr<std::string> ReadFileHere(const std::string& path);
absl::StatusOr<FileStatus> StatHere(const std::string& path, bool follow);
absl::StatusOr<std::string> ReadLinkHere(const std::string& path);
absl::StatusOr<std::vector<std::string>> ListDirectoryHere(const std::string& path);
// `algorithm`: "sha256" or "md5".
absl::StatusOr<std::string> HashFileHere(const std::string& path, const std::string& algorithm);

}  // namespace connect_ha
