#include "common/checklist/rules/storage_options.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"

namespace connect_ha {
namespace {

// The NFS options of the EFS documentation, and lookupcache=pos of Connect's.
struct Wanted {
  const char* option;  // to write
  // As the kernel shows it, alternatives separated by "|". "" where it does not.
  const char* shown;
  const char* otherwise;  // what comes of doing without
};

constexpr Wanted kWanted[] = {
    {"nfsvers=4.1", "vers=4.1|vers=4.2", "opening files is slow: 4.0 serialises it per user"},
    {"rsize=1048576", "rsize=1048576", "reads are slow"},
    {"wsize=1048576", "wsize=1048576", "writes are slow"},
    {"hard", "hard", "writes are lost without an error when the server is away"},
    {"timeo=600", "timeo=600", "a slow answer counts as a lost one"},
    {"retrans=2", "retrans=2", "recovery from a lost server starts late or never"},
    {"noresvport", "noresvport", "the mount hangs after the server moved"},
    {"lookupcache=pos", "lookupcache=pos|lookupcache=positive|lookupcache=none",
     "files made on another node stay invisible for up to a minute"},
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

// systemd knows nfs for a network file system, but not a unit of type efs.
bool LacksNetdev(const v1::Mount& mount) {
  return mount.has_efs_file_system() && mount.unit().has_mount_options() &&
         !absl::StrContains(mount.unit().mount_options(), "_netdev");
}

std::string AddOptionFix(const v1::Mount& mount, const std::string& option) {
  const std::string& point = mount.mount_point();
  return absl::StrCat("on NODE: add ", option, " to the options of ", point,
                      " in /etc/fstab or its .mount unit, then: systemctl daemon-reload; "
                      "systemctl stop rstudio-connect; umount ",
                      point, "; mount ", point, "; systemctl start rstudio-connect");
}

void JudgeOptions(const v1::NodeSnapshot& node, const v1::Mount& mount, Verdict& verdict) {
  std::vector<std::string> missing;
  std::vector<std::string> causes;
  for (const Wanted& wanted : kWanted) {
    if (Has(mount, wanted.shown)) continue;
    missing.push_back(wanted.option);
    causes.push_back(absl::StrCat("no ", wanted.option, ": ", wanted.otherwise));
  }
  if (LacksNetdev(mount)) {
    missing.push_back("_netdev");
    causes.push_back("no _netdev: the boot may hang");
  }
  const std::string fix = AddOptionFix(mount, absl::StrJoin(missing, ","));
  for (const std::string& cause : causes) verdict.Fail(node.name(), cause, fix);
  if (missing.empty()) {
    verdict.Pass(node.name(), absl::StrCat(mount.mount_point(), " has every option"));
  }
}

}  // namespace

std::string NfsOptions() {
  std::string options;
  for (const Wanted& wanted : kWanted) absl::StrAppend(&options, wanted.option, ",");
  return absl::StrCat(options, "_netdev");
}

v1::Finding StorageOptions(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.mounts") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    const std::string point = DataMountPoint(cluster.spec().storage(), node.facts());
    const v1::Mount* mount = FindMount(node.facts(), point);
    if (point.empty()) {
      verdict.Unknown(node.name(), "Server.DataDir was not reported");
    } else if (mount == nullptr) {
      verdict.NotApplicable(node.name(), absl::StrCat("nothing is mounted at ", point));
    } else if (!absl::StartsWith(mount->fs_type(), "nfs")) {
      verdict.NotApplicable(node.name(), absl::StrCat(point, " is not NFS"));
    } else if (!verdict.Unobserved(node, "storage.mounts.unit")) {
      JudgeOptions(node, *mount, verdict);
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
