// Reads of files that this process does itself. On a network file system they may never come
// back: LinuxHost sends those to a SharedReader.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/host/host.h"

namespace connect_ha {

// Long enough for some gigabytes from a slow disk.
inline constexpr std::chrono::milliseconds kHashWithin{120'000};

// More than any directory has that is looked at; one that an account fills fills no memory.
inline constexpr size_t kMostNames = 100'000;

// As the calls of Host with these names. A file larger than 32 MiB is ResourceExhausted, and so is
// a directory of more names than `most`.
absl::StatusOr<std::string> ReadFileHere(const std::string& path);
absl::StatusOr<FileStatus> StatHere(const std::string& path, bool follow);
absl::StatusOr<std::string> ReadLinkHere(const std::string& path);
absl::StatusOr<std::vector<std::string>> ListDirectoryHere(const std::string& path,
                                                           size_t most = kMostNames);
absl::StatusOr<FileSystemUse> UseHere(const std::string& path);
// Up to `most` bytes of a file of any size, from `offset` on; "" at its end.
absl::StatusOr<std::string> ReadPieceHere(const std::string& path, uint64_t offset, size_t most);
// `algorithm`: "sha256" or "md5". DeadlineExceeded: it could not be read `within` that time.
absl::StatusOr<std::string> HashFileHere(const std::string& path, const std::string& algorithm,
                                         std::chrono::milliseconds within = kHashWithin);

// The same of what `next` gives, piece by piece up to an empty one; `path` is for messages. A piece
// must stay until the next one is asked for.
using NextPiece = std::function<absl::StatusOr<absl::string_view>()>;
absl::StatusOr<std::string> HashPieces(const std::string& path, const std::string& algorithm,
                                       std::chrono::milliseconds within, const NextPiece& next);

}  // namespace connect_ha
