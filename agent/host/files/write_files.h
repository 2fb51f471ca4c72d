// Changes of files that this process makes itself, durable when a call returns. On a network file
// system they might never come back: LinuxHost refuses those.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// As the calls of WritableHost with these names; one at a time.
//
// A path is absolute, without "..": anything else is InvalidArgument. Links on the way to it are
// followed, the last part never.
absl::Status WriteFileHere(const std::string& path, const std::string& content,
                           const FileAttributes& attributes);
// Of a file or a directory; FailedPrecondition: it is something else.
absl::Status SetAttributesHere(const std::string& path, const FileAttributes& attributes);
absl::Status MakeDirectoryHere(const std::string& path);
absl::Status RenameHere(const std::string& from, const std::string& to);
// FailedPrecondition, and nothing is removed: one of `mounts` is at the path or below it.
// InvalidArgument: the path has fewer than two parts ("/opt").
absl::Status RemoveHere(const std::string& path, const std::vector<MountEntry>& mounts);

}  // namespace connect_ha
