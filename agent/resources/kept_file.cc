#include "agent/resources/kept_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr size_t kDigestShown = 16;
constexpr size_t kMostKept = 20;
// How the name of the first copy begins: which it was, its time does not say once a clock was
// wrong.
constexpr char kFirst[] = "first-";

using Copy = std::pair<Time, std::string>;  // since when, path

absl::StatusOr<std::vector<Copy>> Copies(Host& host, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(directory);
  if (!names.ok()) return names.status();
  std::vector<Copy> copies;
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(directory, "/", name);
    const absl::StatusOr<FileStatus> status = host.LStat(path);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    copies.emplace_back(status->modified_at, path);
  }
  std::sort(copies.begin(), copies.end());
  return copies;
}

// The first is the one that no specification of ours wrote.
absl::Status Bound(WritableHost& host, const std::string& directory, const std::string& latest) {
  const absl::StatusOr<std::vector<Copy>> copies = Copies(host, directory);
  if (!copies.ok()) return copies.status();
  size_t kept = copies->size();
  for (size_t i = 1; i < copies->size() && kept > kMostKept; ++i) {
    const std::string& path = (*copies)[i].second;
    if (path == latest || absl::StartsWith(path, absl::StrCat(directory, "/", kFirst))) continue;
    absl::Status removed = host.Remove(path);
    if (!removed.ok()) return removed;
    --kept;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status KeepFile(const ResourceContext& context, const std::string& path,
                      const std::string& folder, absl::string_view next) {
  const absl::StatusOr<FileStatus> status = context.host.LStat(path);
  if (absl::IsNotFound(status.status())) return absl::OkStatus();
  if (!status.ok()) return status.status();
  // What a link leads to is not replaced.
  if (status->kind != FileStatus::Kind::kFile) return absl::OkStatus();
  const absl::StatusOr<std::string> content = context.host.ReadFile(path);
  if (!content.ok()) return content.status();
  if (*content == next) return absl::OkStatus();
  const std::string directory = absl::StrCat(context.state_dir, "/", folder);
  const std::string name = absl::StrCat(Hex(Sha256(*content)).substr(0, kDigestShown), "-",
                                        path.substr(path.rfind('/') + 1));
  for (const char* begin : {"", kFirst}) {
    const auto there = context.host.ReadFile(absl::StrCat(directory, "/", begin, name));
    if (there.ok() && *there == *content) return absl::OkStatus();
  }
  const absl::Status made = context.host.MakeDirectory(directory);
  if (!made.ok()) return made;
  const absl::StatusOr<std::vector<Copy>> before = Copies(context.host, directory);
  if (!before.ok()) return before.status();
  const std::string copy = absl::StrCat(directory, "/", before->empty() ? kFirst : "", name);
  const absl::Status kept = context.host.WriteFile(copy, *content, FileAttributes());
  return kept.ok() ? Bound(context.host, directory, copy) : kept;
}

}  // namespace connect_ha
