#include "agent/resources/storage/mount_look.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/probes/storage/efs_state.h"
#include "agent/probes/storage/fstab.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/storage/mount_found.h"
#include "common/checklist/fix.h"

namespace connect_ha {
namespace {

constexpr size_t kNamesShown = 3;

std::string RegionHere(const ResourceContext& context) {
  const std::optional<KeptInstance> instance = context.cache.instance.Get();
  return instance ? instance->facts.region() : "";
}

// Nothing is mounted there: what would the mount hide?
absl::Status CheckMountPoint(Host& host, const std::vector<MountEntry>& mounts,
                             const std::string& point) {
  const absl::StatusOr<std::string> resolved = ResolveLocalLinks(host, mounts, point);
  if (!resolved.ok()) return resolved.status();
  if (*resolved != point) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is a symbolic link in ", point,
                     ", which systemd mounts nothing at; it "
                     "leads to ",
                     *resolved, "\nfix: write the path without links into storage.mount_point"));
  }
  const absl::StatusOr<FileStatus> status = host.LStat(point);
  if (absl::IsNotFound(status.status())) return absl::OkStatus();
  if (!status.ok()) return status.status();
  if (status->kind != FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError(
        absl::StrCat(point, " is not a directory\nfix: look what it is (ls -l ", ShellWord(point),
                     "), and move it away"));
  }
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(point);
  if (!names.ok()) return names.status();
  if (names->empty()) return absl::OkStatus();
  const auto shown_end = names->begin() + std::min(names->size(), kNamesShown);
  const std::string shown =
      absl::StrJoin(std::vector<std::string>(names->begin(), shown_end), ", ");
  return absl::FailedPreconditionError(absl::StrCat(
      "nothing is mounted at ", point, ", and on the local disk there are files below it (", shown,
      names->size() > kNamesShown ? absl::StrCat(" and ", names->size() - kNamesShown, " more")
                                  : "",
      "), which a mount would hide: something wrote there while nothing was mounted\nfix: look "
      "whether they are needed; then move them away: mv ",
      ShellWord(point), " ", ShellWord(point + ".local")));
}

absl::Status LookAtOne(const ResourceContext& context, const MountEntry& entry, MountStand& stand) {
  const v1::StorageSpec& spec = context.desired.spec().storage();
  const absl::StatusOr<v1::Mount> mount = ReadMount(context.host, entry);
  if (!mount.ok()) return mount.status();
  const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context);
  const bool serves = unit.ok() && IsUp(*unit);
  absl::Status right = CheckSource(spec, stand.plan, entry, *mount, serves);
  if (right.ok()) right = CheckAnswers(context.host, stand.plan);
  if (!right.ok()) return right;
  stand.is_mounted = true;
  absl::StatusOr<EfsState> helper = ReadEfsState(context.host, entry);
  if (!helper.ok() && !absl::IsNotFound(helper.status())) return helper.status();
  std::optional<EfsState> by_helper;
  if (helper.ok()) by_helper = *std::move(helper);
  stand.mount_fault = MountFault(spec, *mount, by_helper);
  return absl::OkStatus();
}

absl::Status Masked(const std::string& unit) {
  return absl::FailedPreconditionError(absl::StrCat(
      unit, " is masked: nobody can mount by it\nfix: systemctl unmask ", ShellWord(unit)));
}

// What is wrong with the unit's file; "" for nothing.
absl::StatusOr<std::string> FileFault(Host& host, const MountPlan& plan) {
  const std::string file = MountUnitFile(plan);
  const absl::StatusOr<FileStatus> status = host.LStat(file);
  if (absl::IsNotFound(status.status())) return absl::StrCat("no ", file);
  if (!status.ok()) return status.status();
  if (status->kind == FileStatus::Kind::kLink) {
    const absl::StatusOr<std::string> target = host.ReadLink(file);
    if (!target.ok()) return target.status();
    if (*target == "/dev/null") return Masked(plan.unit);
    return absl::StrCat(file, " is a link");
  }
  if (status->kind != FileStatus::Kind::kFile) {
    return absl::FailedPreconditionError(
        absl::StrCat(file, " is not a file\nfix: look what it is (ls -l ", ShellWord(file),
                     "), and move it away"));
  }
  const absl::StatusOr<std::string> text = host.ReadFile(file);
  if (!text.ok()) return text.status();
  return *text == MountUnitText(plan) ? "" : absl::StrCat(file, " says something else");
}

absl::Status LookAtUnit(Host& host, MountStand& stand) {
  const std::string& name = stand.plan.unit;
  const absl::StatusOr<std::string> file_fault = FileFault(host, stand.plan);
  if (!file_fault.ok()) return file_fault.status();
  stand.unit_fault = *file_fault;
  const absl::StatusOr<v1::Unit> unit = host.ReadUnit(name);
  if (!unit.ok() && !absl::IsNotFound(unit.status())) return unit.status();
  if (unit.ok()) {
    if (unit->load_state() == "masked") return Masked(name);
    stand.users.assign(unit->started_by().begin(), unit->started_by().end());
  }
  if (!stand.unit_fault.empty()) return absl::OkStatus();
  if (!unit.ok() || unit->need_daemon_reload()) {
    stand.unit_fault = absl::StrCat("systemd has not read ", name);
  } else if (unit->unit_file_state() != "enabled") {
    stand.unit_fault = absl::StrCat(name, " is not enabled");
  }
  return absl::OkStatus();
}

}  // namespace

std::string MountUnitFile(const MountPlan& plan) { return "/etc/systemd/system/" + plan.unit; }

absl::Status CheckMountProgram(Host& host, const MountPlan& plan) {
  const std::string program = "/sbin/mount." + plan.type;
  const absl::StatusOr<FileStatus> status = host.Stat(program);
  if (status.ok() || !absl::IsNotFound(status.status())) return status.status();
  if (plan.type == "efs") {
    return absl::FailedPreconditionError(absl::StrCat(
        "the specification asks for TLS, iam or an access point, which needs amazon-efs-utils: it "
        "is "
        "not installed here (there is no ",
        program,
        "), and the specification does not name its package\nfix: write storage: "
        "{efs_utils: {url: ..., sha256: ...}} into cluster.yaml, or install it on this node"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "there is no ", program, ": nfs-common is missing\nfix: apt-get install nfs-common"));
}

absl::StatusOr<std::vector<MountEntry>> MountsAt(Host& host, const std::string& mount_point) {
  absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(host);
  if (!mounts.ok()) return mounts.status();
  std::vector<MountEntry> here;
  for (MountEntry& mount : *mounts) {
    if (mount.mount_point == mount_point) here.push_back(std::move(mount));
  }
  return here;
}

absl::StatusOr<MountStand> LookAtMount(const ResourceContext& context) {
  const v1::StorageSpec& spec = context.desired.spec().storage();
  absl::StatusOr<MountPlan> plan = MakeMountPlan(spec, RegionHere(context));
  if (!plan.ok()) return plan.status();
  MountStand stand;
  stand.plan = *std::move(plan);
  const std::string& point = stand.plan.mount_point;
  const absl::StatusOr<std::vector<MountEntry>> here = MountsAt(context.host, point);
  if (!here.ok()) return here.status();
  absl::Status right = CheckAlone(stand.plan, *here);
  if (right.ok() && !here->empty()) {
    right = LookAtOne(context, here->front(), stand);
  } else if (right.ok()) {
    const absl::StatusOr<std::vector<MountEntry>> all = ReadMounts(context.host);
    if (!all.ok()) return all.status();
    right = CheckMountPoint(context.host, *all, point);
    // What the specification names is installed first.
    if (right.ok() && !(stand.plan.type == "efs" && spec.has_efs_utils())) {
      right = CheckMountProgram(context.host, stand.plan);
    }
  }
  if (right.ok()) right = LookAtUnit(context.host, stand);
  if (!right.ok()) return right;
  const absl::StatusOr<unsigned> line = FindFstabLine(context.host, point);
  if (!line.ok()) return line.status();
  stand.fstab_line = *line;
  return stand;
}

}  // namespace connect_ha
