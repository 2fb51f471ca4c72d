#include "agent/resources/storage/mount_found.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "agent/probes/storage/storage_answers.h"
#include "common/checklist/fix.h"
#include "common/checklist/rules/storage_options.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/place.h"
#include "common/connect/connect_redaction.h"

namespace connect_ha {
namespace {

// "/srv/data of /dev/nvme1n1 (ext4)": a directory that is mounted alone is a bind mount.
std::string Shown(const MountEntry& entry) {
  const std::string source = RedactPasswords(entry.source).text;
  const std::string directory = entry.root == "/" ? "" : absl::StrCat(entry.root, " of ");
  return absl::StrCat(directory, source.empty() ? "a file system" : source, " (", entry.fs_type,
                      ")");
}

Sameness IsWanted(const v1::StorageSpec& spec, const MountPlan& plan, const MountEntry& entry,
                  const v1::Mount& mount) {
  if (ReachOf(mount.fs_type()) == Reach::kLocal) return Sameness::kDifferent;
  // An access point is not in the source.
  const bool is_by_source =
      absl::StartsWith(entry.fs_type, "nfs") && !spec.efs().has_access_point();
  if (is_by_source && entry.source == plan.source && entry.root == "/") return Sameness::kSame;
  return SameAsWanted(spec, mount);
}

std::string HelperFault(const v1::EfsSpec& efs, const std::optional<EfsState>& by_helper,
                        bool is_needed) {
  if (!by_helper) return is_needed ? "without TLS, not by amazon-efs-utils" : "";
  if (is_needed && !by_helper->tls) return "without TLS";
  if (is_needed && by_helper->iam != efs.iam()) return efs.iam() ? "without iam" : "with iam";
  return "";
}

}  // namespace

absl::Status CheckAlone(const MountPlan& plan, const std::vector<MountEntry>& here) {
  const std::string point = ShellWord(plan.mount_point);
  const bool waits = std::any_of(here.begin(), here.end(),
                                 [](const MountEntry& entry) { return entry.fs_type == "autofs"; });
  if (waits) {
    const std::string automount =
        absl::StrCat(absl::StripSuffix(plan.unit, ".mount"), ".automount");
    return absl::FailedPreconditionError(absl::StrCat(
        "an automount waits at ", plan.mount_point,
        ": it mounts when somebody looks, and what then hangs is whoever looked\nfix: take "
        "x-systemd.automount out of its line in /etc/fstab, or systemctl disable it; then: "
        "systemctl daemon-reload; systemctl stop ",
        ShellWord(automount)));
  }
  if (here.size() < 2) return absl::OkStatus();
  std::vector<std::string> shown;
  shown.reserve(here.size());
  for (const MountEntry& entry : here) shown.push_back(Shown(entry));
  return absl::FailedPreconditionError(
      absl::StrCat(here.size(), " file systems are mounted on one another at ", plan.mount_point,
                   ", and who looks sees the last alone: ", absl::StrJoin(shown, ", then "),
                   "\nfix: what uses it stopped: umount ", point, ", until findmnt ", point,
                   " shows one, and that is ", plan.source));
}

absl::Status CheckSource(const v1::StorageSpec& spec, const MountPlan& plan,
                         const MountEntry& entry, const v1::Mount& mount, bool serves) {
  const Sameness sameness = IsWanted(spec, plan, entry, mount);
  if (sameness == Sameness::kSame) return absl::OkStatus();
  const std::string else_do =
      serves ? "else, it takes another storage.mount_point in cluster.yaml, and Server.DataDir "
               "below that, for all nodes to change over together"
             : absl::StrCat("else, what uses it stopped: umount ", ShellWord(plan.mount_point));
  const std::string fault = AccessPointFault(spec, mount);
  const std::string found =
      absl::StrCat(Shown(entry), " is mounted at ", plan.mount_point, ", wanted ", plan.source,
                   fault.empty() ? "" : absl::StrCat("; it is mounted ", fault));
  if (sameness == Sameness::kUnknown) {
    return absl::FailedPreconditionError(absl::StrCat(
        found,
        ": whether that is the same file system cannot be told, as one server can have "
        "several names\nfix: where it is, write the name that is mounted into cluster.yaml; ",
        else_do));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      found, "\nfix: where the data is on what is mounted, correct storage in cluster.yaml; ",
      else_do));
}

absl::Status CheckAnswers(Host& host, const MountPlan& plan) {
  const std::string& point = plan.mount_point;
  const std::string name = UnknownName(point, host.Now());
  const absl::Status status = host.LookAlone(name).status();
  if (status.ok() || absl::IsNotFound(status) || absl::IsPermissionDenied(status)) {
    return absl::OkStatus();
  }
  const std::string anew =
      absl::StrCat(ShellWord(point), "; systemctl start ", ShellWord(plan.unit));
  if (absl::IsDeadlineExceeded(status)) {
    return absl::UnavailableError(
        absl::StrCat(point, " hangs: ", plan.server,
                     " does not answer; while it does not, nothing about the mount is "
                     "changed\nfix: it goes on by "
                     "itself once the server answers; only where that is gone for good: ",
                     "umount -f -l ", anew));
  }
  return absl::UnavailableError(absl::StrCat(
      point, " answers with an error: ", absl::StrReplaceAll(status.message(), {{name, point}}),
      "\nfix: where that lasts, and what uses it is stopped: umount -l ", anew));
}

std::string MountFault(const v1::StorageSpec& spec, const v1::Mount& mount,
                       const std::optional<EfsState>& by_helper) {
  std::vector<std::string> faults;
  const std::vector<std::string> missing = MissingOptions(mount, spec.has_efs());
  if (!missing.empty()) faults.push_back("without " + absl::StrJoin(missing, ","));
  for (const std::string& fault :
       {std::string(IsReadOnly(mount) ? "read-only" : ""),
        spec.has_efs() ? HelperFault(spec.efs(), by_helper, NeedsEfsUtils(spec)) : std::string()}) {
    if (!fault.empty()) faults.push_back(fault);
  }
  return absl::StrJoin(faults, ", ");
}

}  // namespace connect_ha
