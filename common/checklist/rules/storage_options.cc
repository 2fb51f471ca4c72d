#include "common/checklist/rules/storage_options.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

struct Wanted {
  const char* option;  // to write
  // As the kernel shows it, alternatives separated by "|".
  const char* shown;
  const char* otherwise;  // what comes of doing without
  bool efs_alone;         // other servers have numbers of their own
};

// The NFS options of the EFS documentation, and lookupcache=pos of Connect's.
constexpr Wanted kWanted[] = {
    {"nfsvers=4.1", "vers=4.1|vers=4.2",
     "4.0 opens the files of one user one after the other, and 3 locks by another service", false},
    {"rsize=1048576", "rsize=1048576", "reads are slow", true},
    {"wsize=1048576", "wsize=1048576", "writes are slow", true},
    {"hard", "hard", "writes are lost without an error when the server is away", false},
    {"timeo=600", "timeo=600", "a slow answer counts as a lost one", true},
    {"retrans=2", "retrans=2", "recovery from a lost server starts late or never", true},
    {"noresvport", "noresvport", "the mount hangs after the server moved", true},
    {"lookupcache=pos", "lookupcache=pos|lookupcache=positive|lookupcache=none",
     "files made on another node stay invisible for up to a minute", false},
};

bool Has(const v1::Mount& mount, const char* shown) {
  for (const absl::string_view alternative : absl::StrSplit(shown, '|')) {
    const auto is_it = [alternative](const std::string& option) { return option == alternative; };
    if (std::any_of(mount.super_options().begin(), mount.super_options().end(), is_it) ||
        std::any_of(mount.options().begin(), mount.options().end(), is_it)) {
      return true;
    }
  }
  return false;
}

std::vector<const Wanted*> Missing(const v1::Mount& mount, bool is_efs) {
  std::vector<const Wanted*> missing;
  for (const Wanted& wanted : kWanted) {
    if (!Has(mount, wanted.shown) && (is_efs || !wanted.efs_alone)) missing.push_back(&wanted);
  }
  return missing;
}

// systemd knows nfs for a network file system, but not a unit of type efs.
bool LacksNetdev(const v1::Mount& mount) {
  return mount.has_efs_file_system() && mount.unit().has_mount_options() &&
         !absl::StrContains(mount.unit().mount_options(), "_netdev");
}

// Without iam the file system's policy may let nobody write. What the kernel mounts by itself does
// not sign in. False too where it is not known, which is then said.
bool LacksSignIn(const v1::NodeSnapshot& node, const v1::Mount& mount, Verdict& verdict) {
  if (verdict.Unobserved(node, "storage.mounts.efs_iam")) return false;
  if (mount.has_efs_file_system() && !mount.has_efs_iam()) {
    verdict.Unknown(node.name(), absl::StrCat("whether ", mount.mount_point(),
                                              " is mounted with iam was not reported"));
    return false;
  }
  return !mount.efs_iam();
}

v1::Fix AddOptionsByHand(const std::string& node, const std::string& point,
                         const std::vector<std::string>& options) {
  return ByHand(node,
                absl::StrCat("add ", absl::StrJoin(options, ","), " to the options of ", point,
                             " in /etc/fstab or in its unit; then one node at a time:"));
}

// `options`: what is missing beside.
v1::Fix SignInByHand(const std::string& node, const std::string& point,
                     const std::vector<std::string>& options) {
  return ByHand(
      node,
      absl::StrCat("mount ", point, " by amazon-efs-utils (type efs) with the options tls,iam",
                   options.empty() ? "" : ",", absl::StrJoin(options, ","),
                   ": correct them in /etc/fstab or in its unit (systemctl cat ",
                   ShellOperand(MountUnitName(point)), "); then one node at a time:"));
}

// `by_hand` comes first. Connect starts again only where systemd keeps it from a mount that failed.
Fixes MountAnewFix(const std::string& node, const std::string& point, const v1::Fix& by_hand) {
  Fixes fixes = {by_hand};
  // systemd hangs over one that hangs.
  for (const v1::Fix& fix : RemountFix(node, point)) {
    fixes.push_back(Needing(fix, {"storage-is-alive"}));
  }
  fixes.push_back(Needing(StartConnect(node), {"boot-is-guarded"}));
  return fixes;
}

// By its name, or because the specification says so and it is what is mounted.
bool IsEfs(const v1::StorageSpec& spec, const v1::Mount& mount) {
  return spec.has_efs() || PlaceOf(mount, "/").is_efs;
}

void JudgeOptions(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, const v1::Mount& mount,
                  Verdict& verdict) {
  const bool is_efs = IsEfs(spec, mount);
  const bool lacks_sign_in = spec.efs().iam() && LacksSignIn(node, mount, verdict);
  std::vector<std::string> missing;
  std::vector<std::string> causes;
  for (const Wanted* wanted : Missing(mount, is_efs)) {
    missing.push_back(wanted->option);
    causes.push_back(absl::StrCat("no ", wanted->option, ": ", wanted->otherwise));
  }
  if (LacksNetdev(mount)) {
    missing.push_back("_netdev");
    causes.push_back("no _netdev: the boot may hang");
  }
  const std::string& point = mount.mount_point();
  const Fixes fixes = MountAnewFix(node.name(), point,
                                   lacks_sign_in ? SignInByHand(node.name(), point, missing)
                                                 : AddOptionsByHand(node.name(), point, missing));
  if (lacks_sign_in) {
    verdict.Fail(node.name(), absl::StrCat(point, " is mounted without iam, which is asked for"),
                 fixes, {v1::SPEC});
  }
  for (const std::string& cause : causes) verdict.Fail(node.name(), cause, fixes);
  if (lacks_sign_in || !missing.empty()) return;
  verdict.Pass(node.name(),
               is_efs ? absl::StrCat(point, " has every option that EFS wants")
                      : absl::StrCat(point,
                                     " has nfsvers, hard and lookupcache; it is not EFS, whose "
                                     "other options are not asked of it"));
}

// What the mount helper of EFS sets: fifteen of the largest reads. 0 where that size is not known.
uint64_t ReadAheadWanted(const v1::Mount& mount) {
  constexpr uint64_t kReads = 15;
  constexpr uint64_t kBytesInKilobyte = 1024;
  uint64_t read_size = 0;
  return absl::SimpleAtoi(SuperOption(mount, "rsize"), &read_size)
             ? kReads * (read_size / kBytesInKilobyte)
             : 0;
}

// Of each NFS file system as it is mounted, by the kernel's own list of them. The file is ours
// alone and written whole; the mounts that are there are gone through as if they came anew. udev
// takes files by their names: it comes after nfs-common's 99-nfs.rules, which set the default.
v1::Fix ReadAheadFix(const std::string& node, const v1::Mount& mount, uint64_t wanted) {
  const std::string rule = absl::StrCat(
      "ACTION==\"add\", SUBSYSTEM==\"bdi\", PROGRAM=\"/usr/bin/grep -qw %k "
      "/proc/fs/nfsfs/volumes\", ATTR{read_ahead_kb}=\"",
      wanted, "\"");
  const std::string now = absl::StrCat("/sys/class/bdi/", mount.device(), "/read_ahead_kb");
  return Type(
      node,
      {absl::StrCat("printf '%s\\n' ", ShellWord(rule),
                    " > /etc/udev/rules.d/99-z-connect-ha-read-ahead.rules"),
       "udevadm control --reload", "udevadm trigger --settle --action=add --subsystem-match=bdi",
       absl::StrCat("cat ", ShellOperand(now))},
      "it holds for every NFS mount of the node, also after the next mount and the next "
      "boot. What amazon-efs-utils mounts has it by itself, unless optimize_readahead is "
      "false in /etc/amazon/efs/efs-utils.conf");
}

void JudgeReadAhead(const v1::NodeSnapshot& node, const v1::Mount& mount, Verdict& verdict) {
  const std::string& point = mount.mount_point();
  const uint64_t wanted = ReadAheadWanted(mount);
  if (!mount.has_read_ahead_kb() || wanted == 0) {
    return verdict.Unknown(node.name(), absl::StrCat("how far ", point,
                                                     " reads ahead was not "
                                                     "reported"));
  }
  if (mount.read_ahead_kb() >= wanted) {
    return verdict.Pass(node.name(), absl::StrCat(point, " reads ", wanted, " KiB ahead"));
  }
  verdict.Fail(node.name(),
               absl::StrCat(point, " reads ", mount.read_ahead_kb(), " KiB ahead, EFS wants ",
                            wanted, ": large files are read slowly"),
               {ReadAheadFix(node.name(), mount, wanted)});
}

}  // namespace

std::string EfsOptions() {
  std::string options;
  for (const Wanted& wanted : kWanted) absl::StrAppend(&options, wanted.option, ",");
  return absl::StrCat(options, "_netdev");
}

std::string NfsOptions() { return "nfsvers=4.1,hard,lookupcache=pos,_netdev"; }

std::vector<std::string> MissingOptions(const v1::Mount& mount, bool is_efs) {
  std::vector<std::string> options;
  for (const Wanted* wanted : Missing(mount, is_efs)) options.push_back(wanted->option);
  return options;
}

v1::Finding StorageReadsAhead(const v1::Snapshot& cluster) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    const std::string point = DataMountPoint(spec, node.facts());
    const v1::Mount* mount = FindMount(node.facts(), point);
    if (mount == nullptr) {
      verdict.Unknown(node.name(), "the data mount was not reported");
    } else if (!absl::StartsWith(mount->fs_type(), "nfs") || !IsEfs(spec, *mount)) {
      verdict.NotApplicable(node.name(), absl::StrCat(point, " is not EFS"));
    } else {
      JudgeReadAhead(node, *mount, verdict);
    }
  }
  return verdict.Finish();
}

v1::Finding StorageOptions(const v1::Snapshot& cluster) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    const std::string point = DataMountPoint(spec, node.facts());
    const v1::Mount* mount = FindMount(node.facts(), point);
    if (mount == nullptr) {
      verdict.Unknown(node.name(), "the data mount was not reported");
    } else if (ReachOf(mount->fs_type()) == Reach::kUnknown) {
      verdict.Unknown(node.name(), absl::StrCat(point, " is a file system of type ",
                                                mount->fs_type(), ", which is not known here"));
    } else if (!absl::StartsWith(mount->fs_type(), "nfs")) {
      verdict.NotApplicable(node.name(), absl::StrCat(point, " is not NFS"));
    } else if (!verdict.Unobserved(node, "storage.mounts.unit")) {
      JudgeOptions(spec, node, *mount, verdict);
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
