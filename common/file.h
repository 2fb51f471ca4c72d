// Small files that must never be seen half written.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// The whole file. NotFound when there is none; every other error says why it cannot be read.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// Replaces the file: a temporary file beside it, fsynced and renamed, so that a reader (or a
// machine that loses power) has the old bytes or the new ones. `mode` holds from the first byte.
// Written by root it belongs to the directory's owner.
absl::Status WriteSmallFile(const std::string& path, const std::string& content, mode_t mode);

// Durable, like the write above.
absl::Status RenameFile(const std::string& from, const std::string& to);
// OK when there is no such file.
absl::Status RemoveFile(const std::string& path);

bool FileExists(const std::string& path);

// Makes the directory and its missing parents; `mode` is given to those it makes.
absl::Status MakeDirectories(const std::string& path, mode_t mode);

}  // namespace connect_ha
