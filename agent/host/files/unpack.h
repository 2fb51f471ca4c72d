// An archive unpacked into a new directory (libarchive).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// As WritableHost::Unpack. Tar alone (ustar, pax, GNU), plain or by gzip, bzip2, xz or zstd.
// Further refused: two entries of one name, names with control characters or longer than Linux
// takes, sparse files, hard links to anything but an earlier file of the archive, a link in the way
// of an entry. A directory that is nothing but what is stripped is left out. Files get 0755 where
// their owner may execute them, else 0644; directories 0755; owners, times and extended attributes
// of the archive are left out.
//   FailedPrecondition: refused, with the entry's name; DataLoss: the archive is damaged, or is
//   none; ResourceExhausted: beyond a limit, or the disk is full; AlreadyExists: the directory is
//   there.
// After an error nothing is left of the directory; killed on the way, it is half there, 0700, to be
// removed before another try. May be called from any thread.
absl::StatusOr<std::vector<UnpackedFile>> UnpackArchive(const UnpackRequest& request);

}  // namespace connect_ha
