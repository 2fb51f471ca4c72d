#include "agent/resources/install/tidy.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/install/download.h"
#include "agent/resources/install/hold_record.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/package_record.h"

namespace connect_ha {
namespace {

constexpr char kQuarto[] = "/opt/quarto";
constexpr char kManifest[] = ".sha256";
constexpr uint64_t kDefaultCacheBytes = 8ull << 30;

absl::StatusOr<std::vector<std::string>> Names(Host& host, const std::string& directory) {
  absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(directory);
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  return names;
}

absl::Status RemoveLogs(const ResourceContext& context) {
  const auto names = Names(context.host, context.state_dir);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, "connect-ha-") || !absl::EndsWith(name, ".service.log")) continue;
    absl::Status removed = context.host.Remove(absl::StrCat(context.state_dir, "/", name));
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

// The manifest of a directory that is not there.
absl::StatusOr<bool> IsOrphan(Host& host, const std::string& name) {
  if (!absl::EndsWith(name, kManifest)) return false;
  const std::string version = name.substr(1, name.size() - sizeof kManifest);
  const absl::StatusOr<FileStatus> status = host.LStat(absl::StrCat(kQuarto, "/", version));
  if (absl::IsNotFound(status.status())) return true;
  if (!status.ok()) return status.status();
  return false;
}

absl::Status RemoveHalfUnpacked(const ResourceContext& context) {
  const auto names = Names(context.host, kQuarto);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (name[0] != '.') continue;
    const absl::StatusOr<bool> orphan = IsOrphan(context.host, name);
    if (!orphan.ok()) return orphan.status();
    if (!*orphan && !absl::EndsWith(name, ".staging") && !absl::EndsWith(name, ".old")) continue;
    absl::Status removed = context.host.Remove(absl::StrCat(kQuarto, "/", name));
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TidyUp(const ResourceContext& context, Progress& progress) {
  absl::Status done = SettleInstaller(context, progress);
  if (done.ok()) done = RemoveLogs(context);
  if (done.ok()) done = RemoveHalfUnpacked(context);
  if (done.ok()) done = ForgetRemovedPackages(context);
  if (done.ok()) done = ForgetSettledHolds(context);
  if (!done.ok()) return done;
  const v1::DownloadsSpec& downloads = context.desired.spec().downloads();
  return BoundCache(context,
                    downloads.has_cache_bytes() ? downloads.cache_bytes() : kDefaultCacheBytes);
}

}  // namespace connect_ha
