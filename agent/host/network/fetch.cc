#include "agent/host/network/fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/network/fetch_http.h"
#include "agent/host/network/fetch_url.h"
#include "agent/host/network/partial_file.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

absl::Status CopyRest(const FileSource& source, const std::string& path, PartialFile& file,
                      const FetchProgress& progress) {
  while (true) {
    const absl::StatusOr<std::string> piece = source.read(file.size(), kPieceBytes);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) return file.Sync();
    const absl::Status appended = file.Append(piece->data(), piece->size());
    if (!appended.ok()) return appended;
    if (progress && !progress(file.size(), source.size)) {
      return absl::CancelledError(absl::StrCat("stopped fetching ", path));
    }
  }
}

absl::Status FetchLocal(const std::string& path, PartialFile& file, const FetchProgress& progress,
                        const OpenSource& open) {
  const absl::StatusOr<FileSource> source = open(path);
  if (!source.ok()) return source.status();
  absl::Status ready = file.Expect(source->size);
  if (ready.ok() && file.size() > source->size) ready = file.Restart();
  if (!ready.ok()) return ready;
  return CopyRest(*source, path, file, progress);
}

}  // namespace

absl::Status CheckMayBeFetched(const std::string& path, bool regular, uint32_t mode) {
  if (!regular) {
    return absl::FailedPreconditionError("cannot fetch " + path + ": not a regular file");
  }
  if ((mode & S_IROTH) != 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot fetch ", path, ": not everybody may read it\nfix: if it is what is meant: chmod o+r ",
      ShellOperand(path)));
}

absl::StatusOr<FileSource> OpenSourceHere(const std::string& path) {
  const auto file =
      std::make_shared<Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file->ok() || fstat(file->get(), &status) != 0) {
    return ErrnoStatus(errno, "cannot fetch " + path);
  }
  const absl::Status may = CheckMayBeFetched(path, S_ISREG(status.st_mode), status.st_mode);
  if (!may.ok()) return may;
  FileSource source;
  source.size = static_cast<uint64_t>(status.st_size);
  source.read = [path, file](uint64_t offset, size_t most) -> absl::StatusOr<std::string> {
    std::string piece(most, '\0');
    ssize_t count = -1;
    do {
      count = pread(file->get(), piece.data(), piece.size(), static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return ErrnoStatus(errno, "cannot fetch " + path);
    piece.resize(static_cast<size_t>(count));
    return piece;
  };
  return source;
}

absl::Status FetchFile(const FetchRequest& request, const FetchProgress& progress,
                       const std::string& ca_file, const OpenSource& open) {
  const absl::StatusOr<FetchUrl> url = ParseFetchUrl(request);
  if (!url.ok()) return url.status();
  absl::StatusOr<PartialFile> file =
      PartialFile::Open(request.path, url->shown, request.limit_bytes);
  if (!file.ok()) return file.status();
  if (url->scheme == "file") return FetchLocal(url->path, *file, progress, open);
  return FetchHttp({request, *url, progress, ca_file}, *file);
}

}  // namespace connect_ha
