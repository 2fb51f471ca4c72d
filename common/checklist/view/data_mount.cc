#include "common/checklist/view/data_mount.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// "": none. nullopt: not known.
std::optional<std::string> AccessPointOf(const v1::Mount& mount) {
  if (mount.has_efs_access_point()) return mount.efs_access_point();
  // What the kernel mounts by itself it mounts by none.
  if (!mount.has_efs_file_system() && PlaceOf(mount, "/").is_efs) return std::string();
  return std::nullopt;
}

}  // namespace

std::string DataMountPoint(const v1::StorageSpec& spec, const v1::Facts& facts) {
  if (!spec.mount_point().empty()) return spec.mount_point();
  const v1::DataDirectory* directory = FindDirectory(facts, "Server.DataDir");
  return directory == nullptr ? "" : directory->mount_point();
}

std::optional<Place> WantedPlace(const v1::StorageSpec& spec) {
  if (spec.has_efs()) {
    Place place;
    place.server = spec.efs().file_system();
    place.path = "/";
    place.is_efs = true;
    return place;
  }
  if (!spec.has_nfs()) return std::nullopt;
  v1::Mount wanted;
  wanted.set_source(absl::StrCat(spec.nfs().server(), ":",
                                 spec.nfs().has_export_() ? spec.nfs().export_() : "/"));
  if (spec.nfs().has_port()) wanted.add_super_options(absl::StrCat("port=", spec.nfs().port()));
  return PlaceOf(wanted, "/");
}

Sameness SameAsWanted(const v1::StorageSpec& spec, const v1::Mount& mount) {
  const auto wanted = WantedPlace(spec);
  if (!wanted) return Sameness::kUnknown;
  Place found = PlaceOf(mount, "/");
  if (wanted->is_efs) {
    const Sameness server = SameServer(found, *wanted);
    if (server != Sameness::kSame) return server;
    const bool is_other = found.path != wanted->path || !AccessPointFault(spec, mount).empty();
    return is_other ? Sameness::kDifferent : Sameness::kSame;
  }
  // Of which version the export is to be is not said.
  found.root = wanted->root;
  return Same(found, *wanted);
}

std::string AccessPointFault(const v1::StorageSpec& spec, const v1::Mount& mount) {
  if (!spec.has_efs()) return "";
  const std::optional<std::string> found = AccessPointOf(mount);
  const std::string& wanted = spec.efs().access_point();
  if (!found || *found == wanted) return "";
  return absl::StrCat("by ", found->empty() ? "no access point" : "access point ", *found,
                      ", wanted ", wanted.empty() ? "none" : wanted);
}

bool IsIdleAutomount(const v1::Facts& facts, const std::string& mount_point) {
  const auto& mounts = facts.storage().mounts();
  const v1::Mount* mount = FindMount(facts, mount_point);
  if (mount != nullptr) return mount->fs_type() == "autofs";
  // Or that of a directory above.
  return std::any_of(mounts.begin(), mounts.end(), [&mount_point](const v1::Mount& one) {
    return one.fs_type() == "autofs" && IsBelow(mount_point, one.mount_point());
  });
}

}  // namespace connect_ha
