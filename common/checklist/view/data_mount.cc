#include "common/checklist/view/data_mount.h"

#include "common/checklist/view/facts_view.h"

namespace connect_ha {

std::string DataMountPoint(const v1::StorageSpec& spec, const v1::Facts& facts) {
  if (!spec.mount_point().empty()) return spec.mount_point();
  const v1::DataDirectory* directory = FindDirectory(facts, "Server.DataDir");
  return directory == nullptr ? "" : directory->mount_point();
}

}  // namespace connect_ha
