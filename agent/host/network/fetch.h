// One file, fetched to a path: from a server (libcurl) or from a folder of this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// A file that is fetched from this machine.
struct FileSource {
  uint64_t size = 0;
  // Up to so many bytes from there on; "" at the end.
  std::function<absl::StatusOr<std::string>(uint64_t offset, size_t most)> read;
};
using OpenSource = std::function<absl::StatusOr<FileSource>(const std::string& path)>;
// FailedPrecondition unless it is a file that everybody may read: the digest of another, which is
// told, could give away what only root may read. `mode`: permission bits.
absl::Status CheckMayBeFetched(const std::string& path, bool regular, uint32_t mode);
// By this process: for local file systems.
absl::StatusOr<FileSource> OpenSourceHere(const std::string& path);

// As WritableHost::Fetch; further:
//   PermissionDenied: the server, or a proxy, wants credentials or refuses them;
//   Unavailable: no answer, a broken one, or one that says to come again (408, 429, 5xx);
//   DeadlineExceeded: under 1 KiB/s for as long as the stall limit, or no connection in that time;
//   Cancelled: `progress` said so.
// Whatever came is kept, in order, for the next try. What was kept may be of a file that the server
// has since replaced: the digest tells; the caller then removes it and fetches once more.
// Messages hold neither credentials nor the query of an address. `progress` is called up to once
// for every 16 KiB, and every second when nothing comes; empty: nobody is told. `ca_file`: PEM
// certificates to trust instead of the system's. May be called from any thread, for one path from
// one at a time. Behind a file:// address is fetched what everybody may read, and nothing else; it
// is read as `open` reads it.
absl::Status FetchFile(const FetchRequest& request, const FetchProgress& progress,
                       const std::string& ca_file = "", const OpenSource& open = OpenSourceHere);

}  // namespace connect_ha
