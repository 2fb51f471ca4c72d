#include "agent/preflight/storage_look.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "agent/host/processes/storage_work.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/storage/cluster_mark.h"
#include "agent/resources/storage/marking.h"
#include "agent/resources/storage/mount_found.h"
#include "agent/resources/storage/mount_look.h"
#include "agent/resources/storage/mount_plan.h"
#include "common/checklist/fix.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"

namespace connect_ha {
namespace {

std::string MountFix(const std::string& unit) {
  return absl::StrCat("systemctl start ", ShellWord(unit), "; systemctl status ", ShellWord(unit));
}

absl::Status NotMounted(const MountPlan& plan) {
  return absl::FailedPreconditionError(
      absl::StrCat("nothing is mounted at ", plan.mount_point,
                   ": Connect would write to the local disk\nfix: ", MountFix(plan.unit)));
}

// What a file system brings along: of mkfs, and of a server that shows its snapshots.
bool IsNoData(const std::string& name) {
  return name == kOwnFolder || name == "lost+found" || name == ".snapshot";
}

// "": it was not.
std::string LeftBehind(const v1::Desired& held, const v1::GenerationMark& not_before) {
  if (!IsBefore(MarkOf(held), not_before)) return "";
  return absl::StrCat(
      "this node holds generation ", held.generation(), ", and the others have gone on to ",
      not_before.generation(),
      " together: with what it has, Connect would no longer fit its database or its data\nfix: "
      "wait: once the coordinator has answered, the agent makes this node what the others are; a "
      "node that was removed joins again: connect-ha token create at the coordinator, and here "
      "what it prints; only where the others run as this node does: connect-ha-agent preflight "
      "--override REASON");
}

bool IsReadOnly(const MountEntry& mount) {
  const auto has_ro = [](const std::vector<std::string>& options) {
    return std::find(options.begin(), options.end(), "ro") != options.end();
  };
  return has_ro(mount.options) || has_ro(mount.super_options);
}

}  // namespace

absl::StatusOr<std::string> StorageLook::Mounted() {
  const MountPlan plan = PlanAsFarAsKnown(storage_);
  const absl::StatusOr<std::vector<MountEntry>> here = MountsAt(host_, plan.mount_point);
  if (!here.ok()) return here.status();
  if (here->empty()) return NotMounted(plan);
  if (absl::Status alone = CheckAlone(plan, *here); !alone.ok()) return alone;
  const MountEntry& entry = here->front();
  if (!IsNetworkMount(entry)) {
    return absl::FailedPreconditionError(
        absl::StrCat("what is mounted at ", plan.mount_point, " is a local ", entry.fs_type,
                     "\nfix: what uses it stopped: umount ", ShellWord(plan.mount_point), "; ",
                     MountFix(plan.unit)));
  }
  if (SaysWhatToMount(storage_)) {
    const absl::StatusOr<v1::Mount> mount = ReadMount(host_, entry);
    if (!mount.ok()) return mount.status();
    absl::Status right = CheckSource(storage_, plan, entry, *mount, /*serves=*/false);
    if (!right.ok()) return right;
  }
  is_read_only_ = IsReadOnly(entry);
  return absl::StrCat(plan.mount_point, " is mounted");
}

absl::StatusOr<std::string> StorageLook::Answers() {
  absl::Status answers = CheckAnswers(host_, PlanAsFarAsKnown(storage_));
  if (!answers.ok()) return answers;
  const std::string& point = storage_.mount_point();
  if (is_read_only_) {
    return absl::FailedPreconditionError(absl::StrCat(point, " is mounted read-only\nfix: findmnt ",
                                                      ShellWord(point), "; mount -o remount,rw ",
                                                      ShellWord(point)));
  }
  return absl::StrCat(point, " answers");
}

absl::StatusOr<std::string> StorageLook::Directories() {
  const std::string& point = storage_.mount_point();
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(host_);
  if (!mounts.ok()) return mounts.status();
  for (const ConfiguredPath& directory : config_.Directories()) {
    if (!IsSharedKey(directory.key)) continue;
    const absl::StatusOr<std::string> path = ResolveLocalLinks(host_, *mounts, directory.path);
    if (!path.ok()) return path.status();
    const bool is_data_dir = directory.key == "Server.DataDir";
    const MountEntry* mount = FindMount(*mounts, *path);
    const bool is_shared = mount != nullptr && IsNetworkMount(*mount);
    if (is_data_dir ? !IsBelow(*path, point) : !is_shared) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory.key, " is ", *path, ", which is not on the shared file system at ",
                       point, "\nfix: find out where the data is; then set ", directory.key,
                       " in Connect's configuration to its directory below ", point,
                       ", or correct storage.mount_point in cluster.yaml"));
    }
    if (!is_shared || (is_data_dir && mount->mount_point != point)) {
      const std::string at = mount == nullptr ? *path : mount->mount_point;
      return absl::FailedPreconditionError(absl::StrCat(
          "something else is mounted at ", at, ", over ", directory.key, "\nfix: findmnt ",
          ShellWord(at), "; what uses it stopped: umount ", ShellWord(at)));
    }
    if (is_data_dir) data_dir_ = *path;
  }
  if (data_dir_.empty()) return absl::FailedPreconditionError("Server.DataDir is not set");
  const absl::StatusOr<FileStatus> found = host_.LStat(data_dir_);
  if (absl::IsNotFound(found.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "there is no ", data_dir_, ": the file system is empty, or another one than the cluster's",
        "\nfix: where it is new, write storage: {owner: {user: root}} into cluster.yaml, and the "
        "agent makes it"));
  }
  if (!found.ok()) return found.status();
  return absl::StrCat("Server.DataDir is ", data_dir_);
}

absl::StatusOr<bool> StorageLook::IsDataDirEmpty() {
  const absl::StatusOr<std::vector<std::string>> names = host_.ListDirectory(data_dir_);
  if (!names.ok()) return names.status();
  return std::all_of(names->begin(), names->end(), IsNoData);
}

absl::Status StorageLook::FitsDatabase(uint32_t connect_tables) {
  if (connect_tables == 0) return absl::OkStatus();
  const absl::StatusOr<bool> is_empty = IsDataDirEmpty();
  if (!is_empty.ok()) return is_empty.status();
  if (!*is_empty) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      data_dir_,
      " is empty, and the database has Connect's tables: the file system is another one "
      "than the cluster's\nfix: compare what findmnt ",
      ShellWord(storage_.mount_point()),
      " shows with a node on which Connect runs; only where Connect never came further than its "
      "database: connect-ha-agent preflight --override REASON"));
}

absl::StatusOr<std::string> StorageLook::Unmarked(const std::string& state_dir,
                                                  const v1::ClusterMark& own,
                                                  bool may_be_unmarked) {
  const absl::StatusOr<bool> known = IsMarkKnown(host_, state_dir, storage_, own, data_dir_);
  if (!known.ok()) return known.status();
  if (*known) return MarkIsGone(state_dir, data_dir_, own.cluster());
  if (!may_be_unmarked) return NoMark(data_dir_, own.cluster());
  const absl::StatusOr<bool> is_empty = IsDataDirEmpty();
  if (!is_empty.ok()) return is_empty.status();
  if (*is_empty) return NoMark(data_dir_, own.cluster());
  return absl::StrCat(data_dir_, " bears no mark yet");
}

absl::StatusOr<std::string> StorageLook::Mark(const std::string& state_dir, const v1::Desired& held,
                                              bool may_be_unmarked) {
  const std::string& cluster = held.spec().cluster();
  const absl::StatusOr<v1::ClusterMark> own = OwnMark(host_, state_dir, cluster);
  if (!own.ok()) return own.status();
  const absl::StatusOr<v1::ClusterMark> found = ReadClusterMark(host_, data_dir_);
  if (absl::IsNotFound(found.status())) return Unmarked(state_dir, *own, may_be_unmarked);
  if (!found.ok()) return found.status();
  if (absl::Status same = CheckMark(data_dir_, *found, *own); !same.ok()) return same;
  const std::string left_behind = LeftBehind(held, found->not_before());
  if (!left_behind.empty()) return absl::FailedPreconditionError(left_behind);
  return absl::StrCat(data_dir_, " is marked as cluster ", cluster, "'s");
}

std::string StorageLook::WhyLeftBehind(const v1::Desired& held) {
  const absl::StatusOr<v1::ClusterMark> found = ReadClusterMark(host_, data_dir_);
  if (!found.ok() || found->cluster() != held.spec().cluster()) return "";
  return LeftBehind(held, found->not_before());
}

}  // namespace connect_ha
