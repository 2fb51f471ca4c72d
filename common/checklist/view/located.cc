#include "common/checklist/view/located.h"

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {

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

std::string UnknownTypeText(const v1::DataDirectory& directory, const v1::Mount& mount) {
  return absl::StrCat(directory.path(), " is on a file system of type ", mount.fs_type(),
                      ", which is not known here");
}

}  // namespace connect_ha
