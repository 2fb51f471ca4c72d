#include "coordinator/checklist/located.h"

#include "absl/strings/str_cat.h"
#include "coordinator/checklist/facts_view.h"

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

}  // namespace connect_ha
