#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"

namespace connect_ha {
namespace {

// What the specification wants mounted; nullopt when it does not say.
std::optional<Place> WantedPlace(const v1::StorageSpec& spec) {
  Place place;
  place.path = "/";
  if (spec.has_efs()) {
    place.server = spec.efs().file_system();
    return place;
  }
  if (!spec.has_nfs()) return std::nullopt;
  v1::Mount wanted;
  wanted.set_source(absl::StrCat(spec.nfs().server(), ":",
                                 spec.nfs().has_export_() ? spec.nfs().export_() : "/"));
  return PlaceOf(wanted, "/");
}

// What is mounted is not what is meant.
std::string RemountFix(const std::string& mount_point) {
  return absl::StrCat("on NODE: systemctl stop rstudio-connect; correct the source of ",
                      mount_point,
                      " in /etc/fstab or its .mount unit, then: "
                      "systemctl daemon-reload; umount ",
                      mount_point, "; mount ", mount_point);
}

// `mount` is null or local.
std::string NotSharedFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                         const v1::Mount* mount) {
  const std::string& wanted = cluster.spec().storage().mount_point();
  // Then it is the directory's own mount that was looked at.
  if (wanted.empty()) {
    return ShareFix(cluster, node, *FindDirectory(node.facts(), "Server.DataDir"));
  }
  if (mount != nullptr) return RemountFix(wanted);
  return absl::StrCat("on NODE: ", StartMountCommand(wanted), "; findmnt ", wanted);
}

// A unit of /etc/fstab is started by a target or by an automount, but for one with noauto; a static
// one by whatever asks for it, such as Connect's unit with RequiresMountsFor.
void JudgeBoot(const v1::NodeSnapshot& node, const v1::Mount& mount, Verdict& verdict) {
  const std::string& point = mount.mount_point();
  const v1::Unit& unit = mount.unit();
  const std::string& state = unit.unit_file_state();
  if (state == "enabled" || unit.started_by_size() > 0) {
    if (state == "enabled" || state == "generated" || state == "static") {
      return verdict.Pass(node.name(),
                          absl::StrCat(point, " is ", mount.source(), " by ", unit.name()));
    }
  }
  if (state == "generated") {
    return verdict.Fail(node.name(),
                        absl::StrCat(point, " is not mounted by a boot: nothing starts ",
                                     unit.name(), ", its line in /etc/fstab says noauto"),
                        absl::StrCat("on NODE: take noauto out of the options of ", point,
                                     " in /etc/fstab, then: systemctl daemon-reload"));
  }
  if (state == "static") {
    return verdict.Unknown(node.name(),
                           absl::StrCat("whether a boot mounts ", point, ": ", unit.name(),
                                        " is static, and no unit that is loaded starts it"),
                           absl::StrCat("on NODE: give ", unit.name(),
                                        " [Install] WantedBy=remote-fs.target, then: systemctl "
                                        "enable ",
                                        unit.name()));
  }
  verdict.Fail(node.name(), absl::StrCat(point, " was mounted by hand: it is gone after a boot"),
               absl::StrCat("on NODE: findmnt --fstab ", point,
                            " (add the line that is missing to /etc/fstab), then: "
                            "systemctl daemon-reload"));
}

// False when what is mounted is not what the specification wants, or that cannot be told.
bool IsTheSpecs(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, const v1::Mount& mount,
                Verdict& verdict) {
  const auto wanted = WantedPlace(spec);
  if (!wanted) return true;
  // An EFS access point or a directory of the file system is still the file system.
  Place found = PlaceOf(mount, "/");
  if (spec.has_efs()) found.path = wanted->path;
  const Sameness sameness = Same(found, *wanted);
  if (sameness == Sameness::kSame) return true;
  const std::string text =
      absl::StrCat(mount.mount_point(), " is ", mount.source(), ", wanted ", wanted->Text());
  if (sameness == Sameness::kDifferent) {
    verdict.Fail(node.name(), text, RemountFix(mount.mount_point()));
  } else {
    verdict.Unknown(node.name(), absl::StrCat(text, ": the names cannot be compared"));
  }
  return false;
}

void JudgeMount(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  const std::string mount_point = DataMountPoint(spec, node.facts());
  if (mount_point.empty()) return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  const v1::Mount* mount = FindMount(node.facts(), mount_point);
  if (mount == nullptr || ReachOf(mount->fs_type()) == Reach::kLocal) {
    return verdict.Fail(node.name(),
                        mount == nullptr
                            ? absl::StrCat("nothing is mounted at ", mount_point)
                            : absl::StrCat(mount_point, " is a local ", mount->fs_type()),
                        NotSharedFix(cluster, node, mount));
  }
  if (!IsTheSpecs(spec, node, *mount, verdict)) return;
  if (!WantedPlace(spec) && ReachOf(mount->fs_type()) == Reach::kUnknown) {
    return verdict.Unknown(
        node.name(), absl::StrCat(mount_point, " is a file system of type ", mount->fs_type(),
                                  ", which is not known here; nothing says that it is meant"));
  }
  if (!verdict.Unobserved(node, "storage.mounts.unit")) JudgeBoot(node, *mount, verdict);
}

void JudgeTransit(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Mount* mount = FindMount(node.facts(), DataMountPoint(spec, node.facts()));
  if (mount == nullptr) return verdict.Unknown(node.name(), "the data mount was not reported");
  for (const std::string& option : mount->super_options()) {
    if (absl::StartsWith(option, "xprtsec=") && option != "xprtsec=none") {
      return verdict.Pass(node.name(), absl::StrCat(mount->mount_point(), " has ", option));
    }
  }
  if (mount->efs_tls()) {
    return verdict.Pass(node.name(), absl::StrCat(mount->mount_point(), " is mounted with tls"));
  }
  if (verdict.Unobserved(node, "storage.mounts.efs_tls")) return;
  verdict.Fail(node.name(), absl::StrCat(mount->mount_point(), " is mounted without TLS"));
}

}  // namespace

v1::Finding StorageIsMounted(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.mounts") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    JudgeMount(cluster, node, verdict);
  }
  return verdict.Finish();
}

v1::Finding StorageIsEncryptedInTransit(const v1::Snapshot& cluster) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  Verdict verdict;
  if (!spec.encrypted_in_transit()) {
    verdict.NotApplicable("", "storage.encrypted_in_transit is not asked for");
    return verdict.Finish();
  }
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.mounts") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    JudgeTransit(spec, node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
