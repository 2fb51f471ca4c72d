// One name in an open directory: what changes of files are made through, so that nobody who moves
// a directory meanwhile leads them elsewhere. For agent/host only.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/fd.h"

namespace connect_ha {

struct DirectoryEntry {
  Fd directory;
  std::string name;
  std::string path;  // for messages

  // Where the entry is made before it is renamed to `name`. Always the same, so that what a killed
  // run left there is found and removed.
  std::string TemporaryName() const { return "." + name + ".connect-ha-new"; }
  absl::Status Sync() const;
};

// InvalidArgument: not an absolute path, or one with "..". NotFound: no such directory.
absl::StatusOr<DirectoryEntry> OpenEntry(const std::string& path);

// Renames, never over something that is there: AlreadyExists.
absl::Status RenameEntry(const DirectoryEntry& from, const std::string& from_name,
                         const DirectoryEntry& to);

}  // namespace connect_ha
