#include "common/checklist/view/located.h"

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {

bool IsSharedKey(const std::string& key) {
  return key == "Server.DataDir" || key == "Database.Dir" || key == "Server.LandingDir";
}

bool StorageUnobserved(const v1::NodeSnapshot& node, Verdict& verdict) {
  return verdict.Unobserved(node, "storage.directories") ||
         verdict.Unobserved(node, "storage.mounts");
}

const v1::Mount* MountOf(const v1::NodeSnapshot& node, const v1::DataDirectory& directory,
                         Verdict& verdict) {
  const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
  if (mount == nullptr) {
    verdict.Unknown(node.name(),
                    absl::StrCat("the mount that ", directory.path(), " is on was not reported"));
  }
  return mount;
}

std::optional<Place> PlaceOnNetwork(const v1::Facts& facts, const std::string& path) {
  // A data directory says where the links on the way to it lead.
  const v1::DataDirectory* closest = nullptr;
  for (const v1::DataDirectory& directory : facts.storage().directories()) {
    if (!IsBelow(path, directory.path())) continue;
    if (closest == nullptr || directory.path().size() > closest->path().size()) {
      closest = &directory;
    }
  }
  const v1::Mount* mount = nullptr;
  std::string below;
  if (closest != nullptr) {
    mount = FindMount(facts, closest->mount_point());
    below = absl::StrCat(closest->path_in_source(), path.substr(closest->path().size()));
  } else {
    for (const v1::Mount& one : facts.storage().mounts()) {
      if (!IsBelow(path, one.mount_point())) continue;
      if (mount == nullptr || one.mount_point().size() >= mount->mount_point().size()) mount = &one;
    }
    if (mount != nullptr && mount->mount_point() != "/") {
      below = path.substr(mount->mount_point().size());
    }
  }
  if (mount == nullptr || ReachOf(mount->fs_type()) != Reach::kNetwork) return std::nullopt;
  return PlaceOf(*mount, below);
}

std::string UnknownTypeText(const v1::DataDirectory& directory, const v1::Mount& mount) {
  return absl::StrCat(directory.path(), " is on a file system of type ", mount.fs_type(),
                      ", which is not known here");
}

}  // namespace connect_ha
