#include "agent/probes/storage/storage.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/probes/reading.h"
#include "agent/probes/storage/efs_state.h"
#include "agent/probes/storage/fstab.h"
#include "common/connect/connect_redaction.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's own limit
constexpr char kUnitDirectory[] = "/etc/systemd/system";

std::vector<std::string> Components(const std::string& path) {
  return absl::StrSplit(path, '/', absl::SkipEmpty());
}

// Where `path` is below the mount's file system.
std::string PathInSource(const MountEntry& mount, const std::string& path) {
  std::string below = mount.mount_point == "/"
                          ? path
                          : path.substr(std::min(mount.mount_point.size(), path.size()));
  if (below == "/") below.clear();
  if (below.empty()) return mount.root;
  return mount.root == "/" ? below : mount.root + below;
}

absl::Status AddDirectory(const ProbeInput& input, const std::vector<MountEntry>& mounts,
                          const ConfiguredPath& configured, v1::StorageFacts& storage) {
  const absl::StatusOr<std::string> resolved =
      ResolveLocalLinks(input.host, mounts, configured.path);
  if (!resolved.ok()) return resolved.status();
  v1::DataDirectory& directory = *storage.add_directories();
  directory.set_key(configured.key);
  directory.set_path(configured.path);
  directory.set_is_default(configured.is_default);
  directory.set_resolved(*resolved);
  const MountEntry* mount = FindMount(mounts, *resolved);
  if (mount == nullptr) return absl::OkStatus();
  directory.set_mount_point(mount->mount_point);
  directory.set_path_in_source(PathInSource(*mount, *resolved));
  return absl::OkStatus();
}

// A FUSE mount that an account made for itself: there may be hundreds, of any name.
bool IsOfAnAccount(const MountEntry& mount) {
  static constexpr absl::string_view kOwner = "user_id=";
  return std::any_of(mount.super_options.begin(), mount.super_options.end(),
                     [](const std::string& option) {
                       return absl::StartsWith(option, kOwner) && option != "user_id=0";
                     });
}

// Network mounts and those of the directories, by mount point; of two mounts on one point the
// later, which covers the other.
std::map<std::string, const MountEntry*> SelectMounts(const std::vector<MountEntry>& mounts,
                                                      const v1::StorageFacts& storage) {
  std::map<std::string, const MountEntry*> selected;
  for (const MountEntry& mount : mounts) {
    bool wanted = IsNetworkMount(mount) && !IsOfAnAccount(mount);
    for (const v1::DataDirectory& directory : storage.directories()) {
      wanted = wanted || directory.mount_point() == mount.mount_point;
    }
    if (wanted) selected[mount.mount_point] = &mount;
  }
  return selected;
}

// Of the kernel's own table, by the device that the mount has: nothing on the network is asked.
absl::Status AddReadAhead(Host& host, const MountEntry& mount, v1::Mount& fact) {
  if (!absl::StartsWith(mount.fs_type, "nfs")) return absl::OkStatus();
  const absl::StatusOr<std::string> text =
      ReadValue(host, absl::StrCat("/sys/class/bdi/", mount.device, "/read_ahead_kb"));
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  uint32_t kilobytes = 0;
  if (absl::SimpleAtoi(*text, &kilobytes)) fact.set_read_ahead_kb(kilobytes);
  return absl::OkStatus();
}

// What stands behind "Where=", as MountUnitText writes it; "" where nothing does.
std::string WhereOf(const std::string& text) {
  static constexpr char kWhere[] = "\nWhere=";
  const size_t at = text.find(kWhere);
  if (at == std::string::npos) return "";
  const size_t begin = at + sizeof(kWhere) - 1;
  const size_t end = text.find('\n', begin);
  const std::string where =
      text.substr(begin, end == std::string::npos ? std::string::npos : end - begin);
  return absl::StrReplaceAll(where, {{"%%", "%"}});
}

// By mount point, with what systemd has of them.
absl::StatusOr<std::map<std::string, std::string>> OwnMountUnits(Host& host) {
  std::map<std::string, std::string> units;
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(kUnitDirectory);
  if (absl::IsNotFound(names.status())) return units;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, ".mount")) continue;
    const std::string file = absl::StrCat(kUnitDirectory, "/", name);
    const absl::StatusOr<FileStatus> status = host.LStat(file);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kFile) continue;
    const absl::StatusOr<std::string> text = host.ReadFile(file);
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) return text.status();
    if (!absl::StartsWith(*text, kOwnUnitLine)) continue;
    const std::string where = WhereOf(*text);
    // systemd takes no unit of another name.
    if (where.empty() || MountUnitName(where) != name) continue;
    const absl::StatusOr<v1::Unit> unit = host.ReadUnit(name);
    if (!unit.ok() && !absl::IsNotFound(unit.status())) return unit.status();
    units[where] = unit.ok() ? unit->unit_file_state() : "";
  }
  return units;
}

// Beside what is mounted, which is told without them.
void AddOwnMountUnits(Host& host, v1::Facts& facts) {
  const absl::StatusOr<std::map<std::string, std::string>> units = OwnMountUnits(host);
  if (!units.ok()) {
    return MarkUnobserved(facts, "storage.own_mount_units", std::string(units.status().message()));
  }
  for (const auto& [mount_point, unit_file_state] : *units) {
    v1::OwnMountUnit& unit = *facts.mutable_storage()->add_own_mount_units();
    unit.set_mount_point(mount_point);
    unit.set_unit_file_state(unit_file_state);
  }
}

absl::StatusOr<bool> IsBeingMounted(Host& host, const std::string& mount_point) {
  const absl::StatusOr<v1::Unit> unit = host.ReadUnit(MountUnitName(mount_point));
  if (absl::IsNotFound(unit.status())) return false;
  if (!unit.ok()) return unit.status();
  return unit->active_state() == "activating";
}

// Of the path's directories, those that something is on its way to.
absl::StatusOr<std::vector<std::string>> Mounting(Host& host, const std::string& path) {
  std::vector<std::string> mounting;
  std::string point;
  for (const std::string& component : Components(path)) {
    absl::StrAppend(&point, "/", component);
    const absl::StatusOr<bool> is_being_mounted = IsBeingMounted(host, point);
    if (!is_being_mounted.ok()) return is_being_mounted.status();
    if (*is_being_mounted) mounting.push_back(point);
  }
  return mounting;
}

// Asked only while the data directory has no network mount: systemd makes a unit of each name that
// it is asked for.
void AddMounting(Host& host, const std::vector<MountEntry>& mounts, v1::Facts& facts) {
  v1::StorageFacts& storage = *facts.mutable_storage();
  for (const v1::DataDirectory& directory : storage.directories()) {
    if (directory.key() != "Server.DataDir") continue;
    if (FindNetworkMount(mounts, directory.resolved()) != nullptr) continue;
    const absl::StatusOr<std::vector<std::string>> mounting = Mounting(host, directory.resolved());
    if (!mounting.ok()) {
      return MarkUnobserved(facts, "storage.mounting", std::string(mounting.status().message()));
    }
    for (const std::string& point : *mounting) storage.add_mounting(point);
    return;
  }
}

}  // namespace

bool StorageIsOnItsWay(const v1::Facts& facts) { return facts.storage().mounting_size() > 0; }

absl::StatusOr<v1::Mount> ReadMount(Host& host, const MountEntry& mount) {
  const absl::StatusOr<v1::Unit> unit = host.ReadUnit(MountUnitName(mount.mount_point));
  if (!unit.ok() && !absl::IsNotFound(unit.status())) return unit.status();
  const absl::StatusOr<EfsState> efs = ReadEfsState(host, mount);
  if (!efs.ok() && !absl::IsNotFound(efs.status())) return efs.status();
  v1::Mount fact;
  fact.set_mount_point(mount.mount_point);
  fact.set_source(RedactPasswords(mount.source).text);
  fact.set_fs_type(mount.fs_type);
  fact.set_device(mount.device);
  for (const std::string& option : mount.options) {
    fact.add_options(RedactPasswords(option).text);
  }
  for (const std::string& option : mount.super_options) {
    fact.add_super_options(RedactPasswords(option).text);
  }
  if (unit.ok() && unit->load_state() != "not-found") *fact.mutable_unit() = *unit;
  if (efs.ok()) {
    fact.set_efs_file_system(efs->file_system);
    fact.set_efs_tls(efs->tls);
    fact.set_efs_access_point(efs->access_point);
    fact.set_efs_iam(efs->iam);
  }
  const absl::Status ahead = AddReadAhead(host, mount, fact);
  if (!ahead.ok()) return ahead;
  return fact;
}

bool IsNetworkMount(const MountEntry& mount) {
  return IsNetworkFileSystem(mount.fs_type) && mount.fs_type != "autofs";
}

absl::StatusOr<std::vector<MountEntry>> ReadMounts(Host& host) {
  const absl::StatusOr<std::string> text = host.ReadFile("/proc/self/mountinfo");
  if (!text.ok()) return absl::UnavailableError(text.status().message());
  return ParseMountInfo(*text);
}

absl::StatusOr<std::vector<NetworkDirectory>> NetworkDirectories(
    Host& host, const ConnectConfig& config, const std::vector<MountEntry>& mounts) {
  std::vector<NetworkDirectory> directories;
  for (const ConfiguredPath& configured : config.Directories()) {
    absl::StatusOr<std::string> resolved = ResolveLocalLinks(host, mounts, configured.path);
    if (!resolved.ok()) return resolved.status();
    const MountEntry* mount = FindMount(mounts, *resolved);
    if (mount == nullptr || !IsNetworkMount(*mount)) continue;
    directories.push_back({configured.key, *std::move(resolved), *mount});
  }
  return directories;
}

absl::StatusOr<std::set<std::string>> DataMountPoints(const ProbeInput& input,
                                                      const std::vector<MountEntry>& mounts) {
  std::set<std::string> points;
  if (!input.config) return points;
  const absl::StatusOr<std::vector<NetworkDirectory>> directories =
      NetworkDirectories(input.host, *input.config, mounts);
  if (!directories.ok()) return directories.status();
  for (const NetworkDirectory& directory : *directories) {
    points.insert(directory.mount.mount_point);
  }
  return points;
}

absl::StatusOr<std::string> ResolveLocalLinks(Host& host, const std::vector<MountEntry>& mounts,
                                              const std::string& path) {
  std::vector<std::string> rest = Components(path);
  std::vector<std::string> done;
  bool can_look = true;
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.erase(rest.begin());
    if (name == ".") continue;
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(name);
    const std::string current = "/" + absl::StrJoin(done, "/");
    can_look = can_look && FindNetworkMount(mounts, current) == nullptr;
    if (!can_look) continue;
    const absl::StatusOr<FileStatus> status = host.LStat(current);
    if (absl::IsNotFound(status.status())) {
      can_look = false;
      continue;
    }
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kLink) continue;
    if (++links > kMostLinks) {
      return absl::FailedPreconditionError("too many levels of symbolic links: " + path);
    }
    const absl::StatusOr<std::string> target = host.ReadLink(current);
    if (!target.ok()) return absl::UnavailableError(target.status().message());
    done.pop_back();
    if (absl::StartsWith(*target, "/")) done.clear();
    const std::vector<std::string> parts = Components(*target);
    rest.insert(rest.begin(), parts.begin(), parts.end());
  }
  return "/" + absl::StrJoin(done, "/");
}

// Part of a mount or of a directory is none: what cannot be read fails the whole probe.
absl::Status ReadStorage(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(input.host);
  if (!mounts.ok()) return mounts.status();
  v1::StorageFacts& storage = *facts.mutable_storage();
  if (!input.config && !input.config_status.ok()) {
    MarkUnobserved(facts, "storage.directories", std::string(input.config_status.message()));
  }
  const std::vector<ConfiguredPath> configured =
      input.config ? input.config->Directories() : std::vector<ConfiguredPath>();
  for (const ConfiguredPath& path : configured) {
    absl::Status status = AddDirectory(input, *mounts, path, storage);
    if (!status.ok()) return status;
  }
  for (const auto& [mount_point, mount] : SelectMounts(*mounts, storage)) {
    const absl::StatusOr<v1::Mount> fact = ReadMount(input.host, *mount);
    if (!fact.ok()) return fact.status();
    v1::Mount& added = *storage.add_mounts();
    added = *fact;
    // Of what comes from there its unit says so itself.
    if (added.unit().unit_file_state() != "enabled" || !IsNetworkMount(*mount)) continue;
    const absl::StatusOr<unsigned> line = FindFstabLine(input.host, mount_point);
    if (!line.ok()) return line.status();
    if (*line > 0) added.set_fstab_line(*line);
  }
  AddOwnMountUnits(input.host, facts);
  AddMounting(input.host, *mounts, facts);
  return absl::OkStatus();
}

}  // namespace connect_ha
