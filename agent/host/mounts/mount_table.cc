#include "agent/host/mounts/mount_table.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

std::vector<std::string> Options(const std::string& text) {
  std::vector<std::string> options;
  for (const std::string& option : std::vector<std::string>(absl::StrSplit(text, ','))) {
    options.push_back(UnescapeMountField(option));
  }
  return options;
}

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
bool ParseLine(const std::string& line, MountEntry& entry) {
  const std::vector<std::string> fields = absl::StrSplit(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  const auto before = dash - fields.begin();
  const auto after = fields.end() - dash;
  if (before < 6 || after < 3) return false;
  entry.device = fields[2];
  entry.root = UnescapeMountField(fields[3]);
  entry.mount_point = UnescapeMountField(fields[4]);
  entry.options = Options(fields[5]);
  entry.fs_type = UnescapeMountField(dash[1]);
  // A source that is the empty string leaves two blanks, or one at the end.
  entry.source = UnescapeMountField(dash[2]);
  if (after > 3) entry.super_options = Options(dash[3]);
  return true;
}

bool Holds(std::string_view mount_point, std::string_view path) {
  if (mount_point == "/") return !path.empty() && path[0] == '/';
  return path.size() >= mount_point.size() &&
         path.compare(0, mount_point.size(), mount_point) == 0 &&
         (path.size() == mount_point.size() || path[mount_point.size()] == '/');
}

}  // namespace

std::string UnescapeMountField(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

absl::StatusOr<std::vector<MountEntry>> ParseMountInfo(std::string_view text) {
  std::vector<MountEntry> mounts;
  size_t number = 0;
  for (size_t start = 0; start < text.size();) {
    ++number;
    const size_t end = std::min(text.find('\n', start), text.size());
    MountEntry entry;
    if (!ParseLine(std::string(text.substr(start, end - start)), entry)) {
      return absl::InvalidArgumentError(
          absl::StrCat("mount table: line ", number, " is not mountinfo's"));
    }
    mounts.push_back(std::move(entry));
    start = end + 1;
  }
  return mounts;
}

bool IsNetworkFileSystem(std::string_view fs_type) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "nfs", "nfs4", "efs", "cifs",      "smb3", "smbfs",  "sshfs", "afs",   "ceph",
      "9p",  "gfs2", "gfs", "glusterfs", "ncp",  "lustre", "ocfs2", "autofs"};
  // What the checklist takes for one beside these (common/checklist/view/place.cc).
  static constexpr std::array<std::string_view, 3> kMore = {"beegfs", "gpfs", "gluster"};
  const auto is_in = [fs_type](const auto& names) {
    return std::find(names.begin(), names.end(), fs_type) != names.end();
  };
  return is_in(kNames) || is_in(kMore) || fs_type == "fuse" || fs_type.compare(0, 5, "fuse.") == 0;
}

const MountEntry* FindMount(const std::vector<MountEntry>& mounts, std::string_view path) {
  const MountEntry* best = nullptr;
  for (const MountEntry& mount : mounts) {
    if (!Holds(mount.mount_point, path)) continue;
    if (best == nullptr || mount.mount_point.size() >= best->mount_point.size()) best = &mount;
  }
  return best;
}

const MountEntry* FindNetworkMount(const std::vector<MountEntry>& mounts, std::string_view path) {
  const MountEntry* top = nullptr;
  for (const MountEntry& mount : mounts) {
    if (!IsNetworkFileSystem(mount.fs_type) || !Holds(mount.mount_point, path)) continue;
    if (top == nullptr || mount.mount_point.size() < top->mount_point.size()) top = &mount;
  }
  return top;
}

}  // namespace connect_ha
