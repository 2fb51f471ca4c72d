#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/checklist/data_mount.h"
#include "coordinator/checklist/facts_view.h"
#include "coordinator/checklist/place.h"
#include "coordinator/checklist/rules.h"
#include "coordinator/checklist/verdict.h"

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

std::string StartMountFix(const std::string& mount_point) {
  return absl::StrCat("on NODE: systemctl start \"$(systemd-escape -p --suffix=mount ", mount_point,
                      ")\"; findmnt ", mount_point);
}

bool ComesBackAtBoot(const v1::Unit& unit) {
  return unit.unit_file_state() == "enabled" || unit.unit_file_state() == "generated" ||
         unit.unit_file_state() == "static";
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
    verdict.Fail(node.name(), text,
                 absl::StrCat("on NODE: systemctl stop rstudio-connect; correct the source of ",
                              mount.mount_point(),
                              " in /etc/fstab or its .mount unit, then: "
                              "systemctl daemon-reload; umount ",
                              mount.mount_point(), "; mount ", mount.mount_point()));
  } else {
    verdict.Unknown(node.name(), absl::StrCat(text, ": the names cannot be compared"));
  }
  return false;
}

void JudgeMount(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const std::string mount_point = DataMountPoint(spec, node.facts());
  if (mount_point.empty()) return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  const v1::Mount* mount = FindMount(node.facts(), mount_point);
  if (mount == nullptr || ReachOf(mount->fs_type()) == Reach::kLocal) {
    return verdict.Fail(node.name(),
                        mount == nullptr
                            ? absl::StrCat("nothing is mounted at ", mount_point)
                            : absl::StrCat(mount_point, " is a local ", mount->fs_type()),
                        StartMountFix(mount_point));
  }
  if (!IsTheSpecs(spec, node, *mount, verdict)) return;
  if (verdict.Unobserved(node, "storage.mounts.unit")) return;
  if (!mount->has_unit() || !ComesBackAtBoot(mount->unit())) {
    return verdict.Fail(node.name(),
                        absl::StrCat(mount_point, " was mounted by hand: it is gone after a boot"),
                        absl::StrCat("on NODE: findmnt --fstab ", mount_point,
                                     " (add the line that is missing to /etc/fstab), then: "
                                     "systemctl daemon-reload"));
  }
  verdict.Pass(node.name(),
               absl::StrCat(mount_point, " is ", mount->source(), " by ", mount->unit().name()));
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
    JudgeMount(cluster.spec().storage(), node, verdict);
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
