// FakeHost's downloads and archives.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/host/network/fetch_url.h"
#include "common/tls/crypto.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

absl::Status CheckScheme(const FetchRequest& request) {
  if (absl::StartsWith(request.url, "https://")) return absl::OkStatus();
  if (request.allow_http && absl::StartsWith(request.url, "http://")) return absl::OkStatus();
  if (request.allow_file && absl::StartsWith(request.url, "file://")) return absl::OkStatus();
  return absl::FailedPreconditionError("scheme is not allowed: " + ShownUrl(request.url));
}

// The name without its first parts; "" when nothing is left of it.
std::string Strip(const std::string& path, int parts) {
  std::vector<std::string> names = absl::StrSplit(path, '/', absl::SkipEmpty());
  names.erase(names.begin(), names.begin() + std::min<ptrdiff_t>(parts, std::ssize(names)));
  return absl::StrJoin(names, "/");
}

}  // namespace

void FakeHost::SetDownload(const std::string& url, FakeDownload download) {
  const std::lock_guard<std::mutex> lock(mutex_);
  downloads_[url] = std::move(download);
}

void FakeHost::SetArchive(const std::string& content, std::vector<FakeEntry> entries) {
  const std::lock_guard<std::mutex> lock(mutex_);
  archives_[content] = std::move(entries);
}

absl::StatusOr<FakeHost::Transfer> FakeHost::StartTransfer(const FetchRequest& request) {
  Transfer transfer;
  bool halfway = false;
  if (absl::Status status = EnterChange("Fetch", request.url, &halfway); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckScheme(request); !status.ok()) return status;
  const auto it = downloads_.find(request.url);
  if (it == downloads_.end()) return absl::NotFoundError("no such file: " + ShownUrl(request.url));
  if (!it->second.error.ok()) return it->second.error;
  transfer.content = it->second.content;
  transfer.end = transfer.content.size();
  transfer.told_size = it->second.tells_size ? transfer.end : 0;
  if (transfer.end > request.limit_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("larger than ", request.limit_bytes, " bytes: ", ShownUrl(request.url)));
  }
  if (it->second.interrupted_at.has_value()) {
    transfer.end = *it->second.interrupted_at;
    transfer.outcome = absl::UnavailableError("connection reset: " + ShownUrl(request.url));
    it->second.interrupted_at.reset();
  }
  if (halfway) {
    transfer.end = transfer.content.size() / 2;
    transfer.outcome = absl::AbortedError("killed");
  }
  const absl::StatusOr<const FakeNode*> file = files_.Find(request.path, true);
  if (file.ok()) transfer.done = (*file)->content.size();
  return transfer;
}

absl::Status FakeHost::Fetch(const FetchRequest& request, const FetchProgress& progress) {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::StatusOr<Transfer> transfer = StartTransfer(request);
  if (!transfer.ok()) return transfer.status();
  for (size_t at = transfer->done; at < transfer->end;) {
    const size_t size = std::min(kPieceBytes, transfer->end - at);
    const absl::Status status =
        files_.Append(request.path, transfer->content.substr(at, size), now_);
    if (!status.ok()) return status;
    at += size;
    lock.unlock();
    const bool go_on = progress == nullptr || progress(at, transfer->told_size);
    lock.lock();
    if (!go_on) return absl::CancelledError("stopped: " + ShownUrl(request.url));
  }
  return transfer->outcome;
}

absl::StatusOr<std::vector<FakeEntry>> FakeHost::EntriesOf(const UnpackRequest& request) const {
  const absl::StatusOr<const FakeNode*> archive = files_.Find(request.archive, true);
  if (!archive.ok()) return archive.status();
  const auto it = archives_.find((*archive)->content);
  if (it == archives_.end()) return absl::DataLossError("not an archive: " + request.archive);
  std::vector<FakeEntry> entries;
  uint64_t size = 0;
  for (FakeEntry entry : it->second) {
    const bool directory = absl::EndsWith(entry.path, "/");
    entry.path = Strip(entry.path, request.strip_components);
    size += entry.content.size();
    if (!entry.path.empty() && !directory) entries.push_back(std::move(entry));
  }
  if (size > request.limit_bytes || it->second.size() > request.limit_entries) {
    return absl::ResourceExhaustedError("beyond its limits: " + request.archive);
  }
  std::sort(entries.begin(), entries.end(),
            [](const FakeEntry& a, const FakeEntry& b) { return a.path < b.path; });
  return entries;
}

absl::StatusOr<std::vector<UnpackedFile>> FakeHost::Unpack(const UnpackRequest& request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  bool halfway = false;
  if (absl::Status status = EnterChange("Unpack", request.archive, &halfway); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<FakeEntry>> entries = EntriesOf(request);
  if (!entries.ok()) return entries.status();
  if (files_.Find(request.directory, false).ok()) {
    return absl::AlreadyExistsError("is there already: " + request.directory);
  }
  const std::string parent = request.directory.substr(0, request.directory.rfind('/'));
  if (!files_.Find(parent, true).ok()) return absl::NotFoundError("no such directory: " + parent);
  if (absl::Status status = files_.MakeDirectory(request.directory); !status.ok()) return status;
  if (halfway) entries->resize(entries->size() / 2);
  std::vector<UnpackedFile> unpacked;
  for (const FakeEntry& entry : *entries) {
    FakeNode node;
    node.kind = entry.link.empty() ? FileStatus::Kind::kFile : FileStatus::Kind::kLink;
    node.content = entry.link.empty() ? entry.content : entry.link;
    node.mode = !entry.link.empty() ? 0777 : (entry.mode & 0100) != 0 ? 0755 : 0644;
    node.modified_at = now_;
    files_.Put(absl::StrCat(request.directory, "/", entry.path), node);
    unpacked.push_back(
        {entry.path, entry.link.empty() ? Hex(Sha256(entry.content)) : "", entry.link, node.mode});
  }
  if (halfway) return absl::AbortedError("killed");
  return unpacked;
}

}  // namespace connect_ha
