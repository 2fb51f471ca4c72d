#include "common/checklist/view/place.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr std::array<absl::string_view, 13> kNetworkTypes = {
    "nfs",    "nfs4",           "efs",    "cifs", "smb3", "ceph",   "fuse.ceph",
    "lustre", "fuse.glusterfs", "beegfs", "gpfs", "afs",  "gluster"};
// fuseblk: a FUSE file system on a block device of this machine.
constexpr std::array<absl::string_view, 17> kLocalTypes = {
    "ext2",    "ext3",  "ext4", "xfs",    "btrfs",    "zfs",      "f2fs",    "jfs",     "tmpfs",
    "overlay", "ramfs", "vfat", "rootfs", "squashfs", "bcachefs", "fuseblk", "reiserfs"};

template <size_t N>
bool IsOneOf(const std::array<absl::string_view, N>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "server:/export" into its halves; an IPv6 address keeps its brackets.
std::pair<std::string, std::string> SplitSource(const std::string& source) {
  const size_t colon = source.find(":/");
  if (colon == std::string::npos) return {source, "/"};
  return {absl::AsciiStrToLower(source.substr(0, colon)), source.substr(colon + 1)};
}

// fs-0ab1.efs.us-east-1.amazonaws.com, with or without a zone before it, is fs-0ab1.
std::string EfsFileSystem(const std::string& host) {
  const std::vector<std::string> labels = absl::StrSplit(host, '.');
  for (size_t i = 0; i + 1 < labels.size() && i < 2; ++i) {
    if (absl::StartsWith(labels[i], "fs-") && labels[i + 1] == "efs") return labels[i];
  }
  return "";
}

bool IsAddress(const std::string& host) {
  return absl::StartsWith(host, "[") || host.find_first_not_of("0123456789.") == std::string::npos;
}

std::string Join(absl::string_view base, absl::string_view below) {
  absl::ConsumeSuffix(&base, "/");
  absl::ConsumePrefix(&below, "/");
  absl::ConsumeSuffix(&below, "/");
  if (below.empty()) return base.empty() ? "/" : std::string(base);
  return absl::StrCat(base, "/", below);
}

}  // namespace

Reach ReachOf(const std::string& fs_type) {
  if (IsOneOf(kNetworkTypes, fs_type)) return Reach::kNetwork;
  return IsOneOf(kLocalTypes, fs_type) ? Reach::kLocal : Reach::kUnknown;
}

Place PlaceOf(const v1::Mount& mount, const std::string& below) {
  const auto [host, exported] = SplitSource(mount.source());
  Place place;
  place.path = Join(exported, below);
  place.server = mount.has_efs_file_system() ? mount.efs_file_system() : EfsFileSystem(host);
  if (place.server.empty()) {
    place.server = host;
    place.server_is_named = !IsAddress(host) && host != "localhost";
  }
  return place;
}

Sameness Same(const Place& a, const Place& b) {
  if (a.server == b.server) {
    // Each node's own tunnel can lead anywhere.
    const bool is_tunnel =
        a.server == "localhost" || absl::StartsWith(a.server, "127.") || a.server == "[::1]";
    if (is_tunnel) return Sameness::kUnknown;
    return a.path == b.path ? Sameness::kSame : Sameness::kDifferent;
  }
  return a.server_is_named && b.server_is_named ? Sameness::kDifferent : Sameness::kUnknown;
}

}  // namespace connect_ha
