#include "common/checklist/view/place.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/text/short_text.h"

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

// "server:/export" or "//server/share" into its halves; an IPv6 address keeps its brackets, a name
// loses the dot that may end it.
std::pair<std::string, std::string> SplitSource(const std::string& source) {
  const bool is_share = absl::StartsWith(source, "//");
  const size_t begin = is_share ? 2 : 0;
  const size_t end = is_share ? source.find('/', begin) : source.find(":/");
  if (end == std::string::npos) return {source, "/"};
  std::string host = absl::AsciiStrToLower(source.substr(begin, end - begin));
  if (absl::EndsWith(host, ".")) host.pop_back();
  return {host, source.substr(is_share ? end : end + 1)};
}

// fs-0ab1.efs.us-east-1.amazonaws.com, with or without a zone before it, is fs-0ab1.
std::string EfsFileSystem(const std::string& host) {
  const std::vector<std::string> labels = absl::StrSplit(host, '.');
  for (size_t i = 0; i + 1 < labels.size() && i < 2; ++i) {
    if (absl::StartsWith(labels[i], "fs-") && labels[i + 1] == "efs") return labels[i];
  }
  return "";
}

std::string WithoutBrackets(const std::string& host) {
  const bool has_them = absl::StartsWith(host, "[") && absl::EndsWith(host, "]");
  return has_them ? host.substr(1, host.size() - 2) : host;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || absl::StartsWith(host, "127.") || host == "::1";
}

// See Place.root. An access point is an option of the mount helper, which the kernel does not show.
std::string RootOf(const v1::Mount& mount) {
  if (mount.has_efs_access_point()) return mount.efs_access_point().empty() ? "nfs 4" : "";
  if (mount.has_efs_file_system()) {
    const bool is_known = mount.unit().has_mount_options();
    const std::string& options = mount.unit().mount_options();
    return is_known && !absl::StrContains(options, "accesspoint=") ? "nfs 4" : "";
  }
  const std::string version = SuperOption(mount, "vers");
  return absl::StrCat("nfs ", version.empty() ? "4" : FirstCharacters(version, 1));
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

std::string SuperOption(const v1::Mount& mount, const std::string& name) {
  const std::string prefix = absl::StrCat(name, "=");
  for (const std::string& option : mount.super_options()) {
    absl::string_view value = option;
    if (absl::ConsumePrefix(&value, prefix)) return std::string(value);
  }
  return "";
}

bool IsReadOnly(const v1::Mount& mount) {
  return std::count(mount.options().begin(), mount.options().end(), "ro") > 0 ||
         std::count(mount.super_options().begin(), mount.super_options().end(), "ro") > 0;
}

Place PlaceOf(const v1::Mount& mount, const std::string& below) {
  const auto [host, exported] = SplitSource(mount.source());
  Place place;
  place.path = Join(exported, below);
  place.root = RootOf(mount);
  place.server = mount.has_efs_file_system() ? mount.efs_file_system() : EfsFileSystem(host);
  place.is_efs = !place.server.empty();
  if (place.server.empty()) place.server = host;
  place.is_tunnel = !place.is_efs && IsLoopback(WithoutBrackets(host));
  place.address = SuperOption(mount, "addr");
  if (place.address.empty() && IsAddress(host)) place.address = WithoutBrackets(host);
  if (IsLoopback(place.address)) {
    place.address.clear();
    place.is_tunnel = !place.is_efs;
  }
  const std::string port = SuperOption(mount, "port");
  const bool is_usual = port.empty() || port == "0" || port == "2049";
  if (!place.address.empty() && !is_usual) absl::StrAppend(&place.address, " port ", port);
  return place;
}

Sameness SameServer(const Place& a, const Place& b) {
  if (a.is_efs && b.is_efs) {
    return a.server == b.server ? Sameness::kSame : Sameness::kDifferent;
  }
  if (a.is_tunnel || b.is_tunnel) return Sameness::kUnknown;
  if (!a.address.empty() && !b.address.empty()) {
    return a.address == b.address ? Sameness::kSame : Sameness::kUnknown;
  }
  return a.server == b.server ? Sameness::kSame : Sameness::kUnknown;
}

Sameness Same(const Place& a, const Place& b) {
  const Sameness server = SameServer(a, b);
  if (server != Sameness::kSame || a.path == b.path) return server;
  return !a.root.empty() && a.root == b.root ? Sameness::kDifferent : Sameness::kUnknown;
}

}  // namespace connect_ha
