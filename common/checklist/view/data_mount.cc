#include "common/checklist/view/data_mount.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {

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
  if (wanted->is_efs) return SameServer(found, *wanted);
  // Of which version the export is to be is not said.
  found.root = wanted->root;
  return Same(found, *wanted);
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
