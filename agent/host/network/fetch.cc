#include "agent/host/network/fetch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/network/fetch_http.h"
#include "agent/host/network/fetch_url.h"
#include "agent/host/network/partial_file.h"

namespace connect_ha {
namespace {

struct Source {
  Fd file;
  uint64_t size = 0;
};

absl::StatusOr<Source> OpenSource(const std::string& path) {
  Source source;
  source.file.Reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!source.file.ok() || fstat(source.file.get(), &status) != 0) {
    return ErrnoStatus(errno, "cannot fetch " + path);
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError("cannot fetch " + path + ": not a regular file");
  }
  // A digest that is told could give away what only root may read.
  if ((status.st_mode & S_IROTH) == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot fetch ", path,
                     ": not everybody may read it\nfix: if it is what is "
                     "meant: chmod o+r ",
                     path));
  }
  source.size = static_cast<uint64_t>(status.st_size);
  return source;
}

absl::Status CopyRest(const Source& source, const std::string& path, PartialFile& file,
                      const FetchProgress& progress) {
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t count = read(source.file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot fetch " + path);
    if (count == 0) return file.Sync();
    const absl::Status appended = file.Append(buffer.data(), static_cast<size_t>(count));
    if (!appended.ok()) return appended;
    if (progress && !progress(file.size(), source.size)) {
      return absl::CancelledError(absl::StrCat("stopped fetching ", path));
    }
  }
}

absl::Status FetchLocal(const std::string& path, PartialFile& file, const FetchProgress& progress) {
  const absl::StatusOr<Source> source = OpenSource(path);
  if (!source.ok()) return source.status();
  absl::Status ready = file.Expect(source->size);
  if (ready.ok() && file.size() > source->size) ready = file.Restart();
  if (!ready.ok()) return ready;
  if (lseek(source->file.get(), static_cast<off_t>(file.size()), SEEK_SET) < 0) {
    return ErrnoStatus(errno, "cannot fetch " + path);
  }
  return CopyRest(*source, path, file, progress);
}

}  // namespace

absl::Status FetchFile(const FetchRequest& request, const FetchProgress& progress,
                       const std::string& ca_file) {
  const absl::StatusOr<FetchUrl> url = ParseFetchUrl(request);
  if (!url.ok()) return url.status();
  absl::StatusOr<PartialFile> file =
      PartialFile::Open(request.path, url->shown, request.limit_bytes);
  if (!file.ok()) return file.status();
  if (url->scheme == "file") return FetchLocal(url->path, *file, progress);
  return FetchHttp({request, *url, progress, ca_file}, *file);
}

}  // namespace connect_ha
