#include "agent/resources/install/download.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/network/fetch_url.h"
#include "agent/resources/install/installer.h"
#include "common/backoff.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

constexpr uint64_t kDefaultLimit = 4ull << 30;
constexpr int kMostTries = 4;
constexpr std::chrono::milliseconds kFirstWait{2'000};
constexpr std::chrono::milliseconds kLastWait{30'000};
constexpr char kPart[] = ".part";
// Less than the margin that is left free.
constexpr uint64_t kLookEvery = 1ull << 20;

std::string Megabytes(uint64_t bytes) { return absl::StrCat((bytes >> 20) + 1, " MiB"); }

bool PassesByItself(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsAborted(status);
}

// One artifact that is being brought here.
class Transfer {
 public:
  Transfer(const ResourceContext& context, const v1::Artifact& artifact, const std::string& path,
           Progress& progress)
      : context_(context),
        artifact_(artifact),
        shown_(ShownUrl(artifact.url())),
        path_(path),
        progress_(progress) {
    const v1::DownloadsSpec& downloads = context.desired.spec().downloads();
    request_.url = artifact.url();
    request_.path = path + kPart;
    request_.limit_bytes = downloads.has_limit_bytes() ? downloads.limit_bytes() : kDefaultLimit;
    request_.allow_http = downloads.allow_http();
    request_.allow_file = downloads.allow_file();
  }

  // That a file of this node may be read as an artifact, and be told the digest of, is not for the
  // specification alone to say.
  absl::Status CheckAllowed() const {
    if (!request_.allow_file) return absl::OkStatus();
    const absl::StatusOr<FetchUrl> url = ParseFetchUrl(request_);
    if (!url.ok()) return url.status();
    if (url->scheme != "file") return absl::OkStatus();
    const std::string& directory = context_.agent_config.artifact_dir();
    if (!directory.empty() && IsPlainPath(url->path) &&
        absl::StartsWith(url->path, directory + "/")) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(absl::StrCat(
        shown_, " is a file of this node, and ",
        directory.empty() ? "its agent.yaml names no artifact_dir"
                          : absl::StrCat("not below its artifact_dir ", directory),
        "\nfix: write artifact_dir: and the directory of such files into "
        "/etc/connect-ha/agent.yaml on this node, then: systemctl restart connect-ha-agent"));
  }

  // The file is complete and right at its path.
  absl::Status Run() {
    absl::Status got = FetchVerified();
    if (absl::IsDataLoss(got)) got = FetchVerified();
    if (!absl::IsDataLoss(got)) return got;
    return absl::FailedPreconditionError(
        absl::StrCat(got.message(),
                     ", fetched twice\nfix: compare sha256 in the specification with the file "
                     "that its publisher names"));
  }

 private:
  // DataLoss: it came whole and is another file; it is removed.
  absl::Status FetchVerified() {
    progress_.Enter(v1::Step::DOWNLOADING);
    absl::Status fetched = FetchPatiently();
    if (!fetched.ok()) return fetched;
    progress_.Enter(v1::Step::VERIFYING);
    const absl::StatusOr<std::string> sha256 = context_.host.HashFile(request_.path, "sha256");
    if (!sha256.ok()) return sha256.status();
    if (*sha256 == absl::AsciiStrToLower(artifact_.sha256())) {
      return context_.host.Rename(request_.path, path_);
    }
    absl::Status removed = context_.host.Remove(request_.path);
    if (!removed.ok()) return removed;
    return absl::DataLossError(absl::StrCat(shown_, " has sha256 ", *sha256,
                                            ", the specification says ", artifact_.sha256()));
  }

  absl::Status FetchPatiently() {
    Backoff backoff(kFirstWait, kLastWait);
    for (int tried = 1;; ++tried) {
      absl::Status fetched = FetchOnce();
      if (fetched.ok() || !PassesByItself(fetched)) return fetched;
      if (tried == kMostTries) {
        return absl::UnavailableError(
            absl::StrCat(shown_, ": ", fetched.message(), ", after ", tried, " tries"));
      }
      if (!progress_.Wait(backoff.Next())) return absl::CancelledError("stopped");
    }
  }

  absl::Status FetchOnce() {
    absl::Status room = MakeRoom(0);
    if (!room.ok()) return room;
    const absl::Status fetched = context_.host.Fetch(request_, [&](uint64_t done, uint64_t total) {
      progress_.Bytes(done, total);
      if (!checked_ && total > 0) {
        checked_ = true;
        room = MakeRoom(total - std::min(done, total));
      } else if (done > room_seen_at_ + kLookEvery) {
        // A server that does not say how much there is, or does not keep to it, fills no disk.
        room_seen_at_ = done;
        room = MakeRoom(0);
      }
      // A preview that is asked for does not wait for a transfer.
      return room.ok() && progress_.Wait(std::chrono::milliseconds(0));
    });
    checked_ = false;
    room_seen_at_ = 0;
    if (!room.ok()) return room;
    if (absl::IsResourceExhausted(fetched)) return ExplainExhausted(fetched);
    return fetched;
  }

  // For so many more bytes; what the cache can do without gives way.
  absl::Status MakeRoom(uint64_t bytes) {
    absl::Status room = CheckRoom(context_.host, context_.cache_dir, bytes, shown_);
    if (!absl::IsResourceExhausted(room)) return room;
    absl::Status cleared = ClearCache(context_);
    if (!cleared.ok()) return cleared;
    return CheckRoom(context_.host, context_.cache_dir, bytes, shown_);
  }

  // The disk may get room again; a file that is too large stays too large.
  absl::Status ExplainExhausted(const absl::Status& fetched) {
    if (CheckRoom(context_.host, context_.cache_dir, 0, shown_).ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          fetched.message(), "\nfix: raise downloads.limit_bytes if it is meant to be so large"));
    }
    absl::Status room = MakeRoom(0);
    return room.ok() ? absl::UnavailableError(fetched.message()) : room;
  }

  const ResourceContext& context_;
  const v1::Artifact& artifact_;
  const std::string shown_;  // its URL, for messages
  const std::string path_;
  Progress& progress_;
  FetchRequest request_;
  bool checked_ = false;
  uint64_t room_seen_at_ = 0;  // bytes of the file
};

// True when a verified copy is there; one that is damaged is removed.
absl::StatusOr<bool> IsCached(WritableHost& host, const std::string& path,
                              const std::string& sha256) {
  const absl::StatusOr<std::string> found = host.HashFile(path, "sha256");
  if (absl::IsNotFound(found.status())) return false;
  if (!found.ok()) return found.status();
  if (*found == absl::AsciiStrToLower(sha256)) return true;
  absl::Status removed = host.Remove(path);
  if (!removed.ok()) return removed;
  return false;
}

struct CachedFile {
  std::string path;
  FileStatus status;
};

absl::StatusOr<std::vector<CachedFile>> CachedFiles(Host& host, const std::string& cache_dir) {
  std::vector<CachedFile> files;
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(cache_dir);
  if (absl::IsNotFound(names.status())) return files;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(cache_dir, "/", name);
    const absl::StatusOr<FileStatus> status = host.LStat(path);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    if (status->kind == FileStatus::Kind::kFile) files.push_back({path, *status});
  }
  std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) {
    return a.status.modified_at > b.status.modified_at;
  });
  return files;
}

std::set<std::string> NamedDigests(const v1::ClusterSpec& spec) {
  std::set<std::string> digests = {absl::AsciiStrToLower(spec.connect().package().sha256()),
                                   absl::AsciiStrToLower(spec.storage().efs_utils().sha256())};
  for (const auto* runtimes :
       {&spec.runtimes().r(), &spec.runtimes().python(), &spec.runtimes().quarto()}) {
    for (const v1::RuntimeSpec& runtime : *runtimes) {
      digests.insert(absl::AsciiStrToLower(runtime.package().sha256()));
      digests.insert(absl::AsciiStrToLower(runtime.archive().sha256()));
    }
  }
  return digests;
}

// "SHA256.deb", "SHA256.deb.part"
std::string DigestOf(const CachedFile& file) {
  const std::string name = file.path.substr(file.path.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

// Of the other specification.
std::set<std::string> NamedBeside(const ResourceContext& context) {
  return context.beside == nullptr ? std::set<std::string>() : NamedDigests(*context.beside);
}

}  // namespace

std::string CachedPath(const ResourceContext& context, const v1::Artifact& artifact,
                       const std::string& suffix) {
  return absl::StrCat(context.cache_dir, "/", absl::AsciiStrToLower(artifact.sha256()), ".",
                      suffix);
}

absl::StatusOr<std::string> Download(const ResourceContext& context, const v1::Artifact& artifact,
                                     const std::string& suffix, Progress& progress) {
  const std::string sha256 = absl::AsciiStrToLower(artifact.sha256());
  const std::string path = CachedPath(context, artifact, suffix);
  absl::Status made = context.host.MakeDirectory(context.cache_dir);
  if (!made.ok()) return made;
  progress.Enter(v1::Step::VERIFYING);
  const absl::StatusOr<bool> cached = IsCached(context.host, path, sha256);
  if (!cached.ok()) return cached.status();
  if (*cached) return path;
  Transfer transfer(context, artifact, path, progress);
  absl::Status got = transfer.CheckAllowed();
  if (got.ok()) got = transfer.Run();
  if (!got.ok()) return got;
  return path;
}

absl::Status CheckRoom(Host& host, const std::string& path, uint64_t bytes,
                       const std::string& what) {
  absl::StatusOr<FileSystemUse> use = host.Use(path);
  for (std::string above = path; absl::IsNotFound(use.status()) && above.size() > 1;) {
    above = above.substr(0, std::max<size_t>(1, above.rfind('/')));
    use = host.Use(above);
  }
  if (!use.ok()) return use.status();
  if (use->free_bytes >= kSpaceMargin && use->free_bytes - kSpaceMargin >= bytes) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(what, " needs ", Megabytes(bytes + kSpaceMargin), " at ", path, ", where ",
                   Megabytes(use->free_bytes), " are free\nfix: make room at ", path));
}

absl::Status ClearCache(const ResourceContext& context) {
  const absl::StatusOr<std::vector<CachedFile>> files =
      CachedFiles(context.host, context.cache_dir);
  if (!files.ok()) return files.status();
  const absl::StatusOr<std::string> installer = NotedInstaller(context);
  if (!installer.ok()) return installer.status();
  std::set<std::string> named = NamedDigests(context.desired.spec());
  named.merge(NamedBeside(context));
  for (const CachedFile& file : *files) {
    const std::string digest = DigestOf(file);
    if (named.count(digest) > 0 || *installer == InstallerService("install", digest)) continue;
    absl::Status removed = context.host.Remove(file.path);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::Status BoundCache(const ResourceContext& context, uint64_t limit_bytes) {
  const absl::StatusOr<std::vector<CachedFile>> files =
      CachedFiles(context.host, context.cache_dir);
  if (!files.ok()) return files.status();
  const std::set<std::string> kept = NamedBeside(context);
  uint64_t total = 0;
  for (const CachedFile& file : *files) {
    if (kept.count(DigestOf(file)) > 0) continue;
    const bool part = absl::EndsWith(file.path, kPart);
    if (!part) total += file.status.size_bytes;
    if (!part && total <= limit_bytes) continue;
    absl::Status removed = context.host.Remove(file.path);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
