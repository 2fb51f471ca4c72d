#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/lesser_faults.h"
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

// What is below the mount point is kept: the mount hides it, and nothing deletes it.
Fixes NotMountedFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                    const std::string& point) {
  Fixes fixes = {
      StopConnect(node.name()),
      Type(node.name(), {StartMountCommand(point), absl::StrCat("findmnt ", ShellOperand(point))},
           absl::StrCat("what was written below ", point,
                        " meanwhile stays on the local disk, beneath the mount"))};
  for (const v1::Fix& fix : NoUnitFix(cluster, node, point)) fixes.push_back(fix);
  return fixes;
}

Fixes LocalMountFix(const v1::NodeSnapshot& node, const v1::Mount& mount) {
  const std::string& point = mount.mount_point();
  Fixes fixes = RemountFix(node.name(), point);
  fixes.push_back(
      ByHand(node.name(),
             absl::StrCat("where findmnt still shows ", mount.fs_type(), ", correct the source of ",
                          point, " in /etc/fstab or in its unit (systemctl cat ",
                          ShellOperand(MountUnitName(point)),
                          "); what Connect wrote there meanwhile is kept where it is")));
  return fixes;
}

// `mount` is null or local.
Fixes NotSharedFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                   const v1::Mount* mount) {
  const std::string& wanted = cluster.spec().storage().mount_point();
  // Then it is the directory's own mount that was looked at.
  if (wanted.empty()) {
    return ShareFix(cluster, node, *FindDirectory(node.facts(), "Server.DataDir"));
  }
  return mount == nullptr ? NotMountedFix(cluster, node, wanted) : LocalMountFix(node, *mount);
}

// The unit's file is there after a boot.
bool IsLasting(const std::string& unit_file_state) {
  for (const char* state : {"enabled", "generated", "static", "disabled", "linked", "indirect"}) {
    if (unit_file_state == state) return true;
  }
  return false;
}

// What is right is mounted: that a boot would not mount it takes nobody out of service.
//
// A unit of /etc/fstab is started by a target or by an automount, but for one with noauto; others
// by whatever asks for them, such as Connect's unit with RequiresMountsFor.
void JudgeBoot(const v1::NodeSnapshot& node, const v1::Mount& mount, LesserFaults& lesser,
               Verdict& verdict) {
  const std::string& name = node.name();
  const std::string& point = mount.mount_point();
  const v1::Unit& unit = mount.unit();
  const std::string& state = unit.unit_file_state();
  const std::string unit_name = unit.name().empty() ? MountUnitName(point) : unit.name();
  if (state == "enabled" || (IsLasting(state) && unit.started_by_size() > 0)) {
    std::string line;
    if (mount.has_fstab_line()) {
      line = absl::StrCat(" (not by line ", mount.fstab_line(),
                          " of /etc/fstab, which that takes the place of)");
    }
    return verdict.Pass(name, absl::StrCat(point, " is ", mount.source(), " by ", unit_name, line));
  }
  const std::string not_by_a_boot = absl::StrCat("a boot does not mount ", point, ": ");
  if (state == "generated") {
    lesser.Add(
        name,
        absl::StrCat(not_by_a_boot, "nothing starts ", unit_name,
                     ", its line in /etc/fstab says noauto"),
        {ByHand(name, absl::StrCat("take noauto out of the options of ", point, " in /etc/fstab")),
         Type(name, {"systemctl daemon-reload"})});
  } else if (state == "static") {
    verdict.Unknown(
        name,
        absl::StrCat("whether a boot mounts ", point, ": ", unit_name,
                     " is static, and no unit that is loaded starts it"),
        {ByHand(name, absl::StrCat("give ", unit_name, " [Install] WantedBy=remote-fs.target")),
         Type(name, {"systemctl daemon-reload",
                     absl::StrCat("systemctl enable ", ShellOperand(unit_name))})});
  } else if (state == "disabled") {
    lesser.Add(name, absl::StrCat(not_by_a_boot, unit_name, " is disabled, nothing starts it"),
               {Type(name, {absl::StrCat("systemctl enable ", ShellOperand(unit_name))})});
  } else if (state == "masked") {
    lesser.Add(name, absl::StrCat(not_by_a_boot, unit_name, " is masked"),
               {Type(name, {absl::StrCat("systemctl unmask ", ShellOperand(unit_name))})});
  } else {
    lesser.Add(
        name, absl::StrCat(point, " was mounted by hand: it is gone after a boot"),
        {ByHand(name, absl::StrCat("add a line for ", point, " to /etc/fstab, with the ",
                                   "source and options that findmnt shows")),
         Type(name, {absl::StrCat("findmnt ", ShellOperand(point)), "systemctl daemon-reload"})});
  }
}

// What is surely what the specification wants, as nodes have it mounted; each place once. Looked
// for once: a cluster may have ten thousand nodes that all have something else.
std::vector<Place> PlacesAsWanted(const v1::Snapshot& cluster) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  std::map<std::string, Place> places;
  if (WantedPlace(spec)) {
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      const v1::Mount* mount = FindMount(node.facts(), DataMountPoint(spec, node.facts()));
      if (mount == nullptr || SameAsWanted(spec, *mount) != Sameness::kSame) continue;
      const Place place = PlaceOf(*mount, "/");
      places.emplace(absl::StrCat(place.Text(), "\n", place.address, "\n", place.root), place);
    }
  }
  std::vector<Place> each;
  each.reserve(places.size());
  for (const auto& place : places) each.push_back(place.second);
  return each;
}

// Its name is not the specification's, but a node has the same server under that name.
bool IsKnownBySomebodysName(const std::vector<Place>& as_wanted, const v1::Mount& mount) {
  const Place here = PlaceOf(mount, "/");
  return std::any_of(as_wanted.begin(), as_wanted.end(), [&here](const Place& theirs) {
    return Same(theirs, here) == Sameness::kSame;
  });
}

// `others_have_it`: another node has what the specification wants. Then the cluster is split, and
// no change of the specification is on its way. `is_by_access_point`: they differ in that.
void SayAnother(bool others_have_it, bool is_by_access_point, const v1::NodeSnapshot& node,
                const v1::Mount& mount, const std::string& text, Verdict& verdict) {
  const std::string& point = mount.mount_point();
  if (!others_have_it) {
    return verdict.Fail(
        node.name(), text,
        {ByHand("", absl::StrCat("where the data is on what is mounted, correct storage in ",
                                 "cluster.yaml; where it is on what is wanted, mount that at ",
                                 point, " while Connect is stopped on every node"))},
        {v1::SPEC});
  }
  Fixes fixes = {ByHand(node.name(), absl::StrCat("correct the source of ", point,
                                                  is_by_access_point ? ", and accesspoint=," : "",
                                                  " in /etc/fstab or in its unit (systemctl cat ",
                                                  ShellOperand(MountUnitName(point)), ")"))};
  for (const v1::Fix& fix : RemountFix(node.name(), point)) fixes.push_back(fix);
  verdict.Fail(node.name(), text, fixes, {v1::PEERS});
}

Fixes ManyNamesFix(const v1::NodeSnapshot& node, const Place& wanted, const Place& found) {
  if (wanted.is_efs || found.is_tunnel) {
    return {
        ByHand(node.name(), absl::StrCat("mount ", wanted.server, " by a name that says so, or ",
                                         "by amazon-efs-utils"))};
  }
  return {Type(node.name(),
               {absl::StrCat("getent ahosts ", ShellOperand(wanted.server)),
                absl::StrCat("getent ahosts ", ShellOperand(found.server))},
               "where both are one server, write the name that is mounted into cluster.yaml")};
}

// False when what is mounted is not what the specification wants, or that cannot be told.
bool IsTheSpecs(const v1::StorageSpec& spec, const std::vector<Place>& as_wanted,
                const v1::NodeSnapshot& node, const v1::Mount& mount, Verdict& verdict) {
  const auto wanted = WantedPlace(spec);
  if (!wanted) return true;
  const Sameness sameness = SameAsWanted(spec, mount);
  if (sameness == Sameness::kSame) return true;
  if (sameness == Sameness::kUnknown && IsKnownBySomebodysName(as_wanted, mount)) return true;
  const std::string fault = AccessPointFault(spec, mount);
  const std::string text =
      absl::StrCat(mount.mount_point(), " is ", mount.source(), ", wanted ", wanted->Text(),
                   fault.empty() ? "" : absl::StrCat("; it is mounted ", fault));
  if (sameness == Sameness::kDifferent && ReachOf(mount.fs_type()) == Reach::kNetwork) {
    SayAnother(!as_wanted.empty(), !fault.empty(), node, mount, text, verdict);
    return false;
  }
  verdict.Unknown(node.name(), absl::StrCat(text, ": one server can have several names"),
                  ManyNamesFix(node, *wanted, PlaceOf(mount, "/")));
  return false;
}

// As in a boot, until systemd gives it up. Only where it was looked for: at Server.DataDir.
bool IsBeingMounted(const v1::Facts& facts, const std::string& point) {
  const auto& mounting = facts.storage().mounting();
  return std::find(mounting.begin(), mounting.end(), point) != mounting.end();
}

void SayItIsBeingMounted(const v1::NodeSnapshot& node, const std::string& point, Verdict& verdict) {
  verdict.Unknown(
      node.name(), absl::StrCat(point, " is being mounted"),
      {Type(node.name(), {absl::StrCat("systemctl status ", ShellOperand(MountUnitName(point)))},
            "once systemd has given it up, this fails")});
}

// What only the mount helper of EFS can say is asked for, and not said.
bool IsHelperSilent(const v1::EfsSpec& efs, const v1::Mount& mount) {
  return efs.has_access_point() && mount.has_efs_file_system() && !mount.has_efs_access_point();
}

void JudgeMount(const v1::Snapshot& cluster, const std::vector<Place>& as_wanted,
                const v1::NodeSnapshot& node, LesserFaults& lesser, Verdict& verdict) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  const std::string point = DataMountPoint(spec, node.facts());
  if (point.empty()) return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  if (IsIdleAutomount(node.facts(), point)) {
    return verdict.Unknown(
        node.name(),
        absl::StrCat(point,
                     " is an automount that nothing has used yet: what it mounts is not "
                     "known"),
        {Type(node.name(), {absl::StrCat("timeout 10 ls ", ShellOperand(point)),
                            absl::StrCat("findmnt ", ShellOperand(point))})});
  }
  const v1::Mount* mount = FindMount(node.facts(), point);
  if (mount == nullptr && spec.mount_point().empty()) {
    return verdict.Unknown(node.name(), absl::StrCat("the mount at ", point, " was not reported"));
  }
  if (mount == nullptr || ReachOf(mount->fs_type()) == Reach::kLocal) {
    if (IsBeingMounted(node.facts(), point) && ConnectRests(node.facts())) {
      return SayItIsBeingMounted(node, point, verdict);
    }
    const std::string what = spec.mount_point().empty() ? "Server.DataDir is on " : "";
    return verdict.Fail(
        node.name(),
        mount == nullptr ? absl::StrCat("nothing is mounted at ", point)
                         : absl::StrCat(what, point, what.empty() ? " is a local " : ", a local ",
                                        mount->fs_type()),
        NotSharedFix(cluster, node, mount));
  }
  if (spec.has_efs() && verdict.Unobserved(node, "storage.mounts.efs_access_point")) return;
  if (IsHelperSilent(spec.efs(), *mount)) {
    return verdict.Unknown(
        node.name(), absl::StrCat("by which access point ", point, " is mounted was not reported"));
  }
  if (!IsTheSpecs(spec, as_wanted, node, *mount, verdict)) return;
  if (!WantedPlace(spec) && ReachOf(mount->fs_type()) == Reach::kUnknown) {
    return verdict.Unknown(
        node.name(), absl::StrCat(point, " is a file system of type ", mount->fs_type(),
                                  ", which is not known here; nothing says that it is meant"));
  }
  if (!verdict.Unobserved(node, "storage.mounts.unit")) JudgeBoot(node, *mount, lesser, verdict);
}

void JudgeTransit(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Mount* mount = FindMount(node.facts(), DataMountPoint(spec, node.facts()));
  if (mount == nullptr) return verdict.Unknown(node.name(), "the data mount was not reported");
  const std::string& point = mount->mount_point();
  const std::string by_rpc = SuperOption(*mount, "xprtsec");
  if (!by_rpc.empty() && by_rpc != "none") {
    return verdict.Pass(node.name(), absl::StrCat(point, " has xprtsec=", by_rpc));
  }
  if (SuperOption(*mount, "sec") == "krb5p") {
    return verdict.Pass(node.name(), absl::StrCat(point, " has sec=krb5p"));
  }
  if (mount->efs_tls()) {
    return verdict.Pass(node.name(), absl::StrCat(point, " is mounted with tls"));
  }
  if (verdict.Unobserved(node, "storage.mounts.efs_tls")) return;
  if (!absl::StartsWith(mount->fs_type(), "nfs") || PlaceOf(*mount, "/").is_tunnel) {
    return verdict.Unknown(
        node.name(), absl::StrCat("whether the traffic of ", point, " (", mount->fs_type(),
                                  " from ", mount->source(), ") is encrypted cannot be seen here"));
  }
  verdict.Fail(node.name(), absl::StrCat(point, " is mounted without TLS"), {}, {v1::SPEC});
}

}  // namespace

v1::Finding StorageIsMounted(const v1::Snapshot& cluster) {
  const std::vector<Place> as_wanted = PlacesAsWanted(cluster);
  Verdict verdict;
  LesserFaults lesser;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!StorageUnobserved(node, verdict)) JudgeMount(cluster, as_wanted, node, lesser, verdict);
  }
  return lesser.Finish(std::move(verdict));
}

v1::Finding StorageIsEncryptedInTransit(const v1::Snapshot& cluster) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  Verdict verdict;
  if (!spec.encrypted_in_transit()) {
    verdict.NotApplicable("", "storage.encrypted_in_transit is not asked for");
    return verdict.Finish();
  }
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!StorageUnobserved(node, verdict)) JudgeTransit(spec, node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
