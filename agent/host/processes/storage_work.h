// Operations of the process that works on a shared mount (SharedReaders::Lane::kWork): here is what
// may hang, and what writes where all nodes see it.
//
// Everything is below DIRECTORY/.connect-ha, which is root's alone. Accounts that run content may
// write parts of a data directory: no link is followed below DIRECTORY, and a folder that others
// may write to, or made, is refused.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/fd.h"

namespace connect_ha {

inline constexpr char kOwnFolder[] = ".connect-ha";

// Why a call did not do what it was to.
struct StorageTrouble {
  int error = 0;     // errno; 0: something was seen to be otherwise
  std::string text;  // "": none
  bool ok() const { return text.empty(); }
};

// "cannot make /mnt/connect/data/.connect-ha: read-only file system"
StorageTrouble StorageTroubleOf(int error, const std::string& what);
// "EROFS", "errno 110" for one that says little to a person; "" for 0.
std::string ErrnoName(int error);

// Opens DIRECTORY, where that is on `device` ("0:52", as the mount table has it). EXDEV: by now
// something else is mounted there, or nothing, and nothing may be written.
StorageTrouble OpenShared(const std::string& directory, const std::string& device, Fd& shared);
// Opens DIRECTORY/.connect-ha, and makes it (0700) where it is not there.
StorageTrouble OpenOwnFolder(const Fd& shared, const std::string& directory, Fd& folder);
// A folder below DIRECTORY must be of whom the server takes us for, as `made`, a new file in it,
// shows: else somebody made it before us.
StorageTrouble CheckFolderIsOurs(const Fd& folder, const Fd& made, const std::string& path);

// What Connect does all day, on DIRECTORY/.connect-ha/work-NODE: a v1::StorageRoundRequest's bytes
// to those of a v1::StorageRound. Killed at any instruction it leaves that file, or
// work-NODE.renamed, which the next round replaces. Aborted: EXDEV, see above.
absl::StatusOr<std::string> StorageRoundHere(const std::string& directory,
                                             const std::string& request);

}  // namespace connect_ha
