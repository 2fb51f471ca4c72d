// Steps about versions of Connect that several rules need.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/checklist/fix.h"

namespace connect_ha {

// Which nodes must stop before Connect starts in some version, since they run another one. Looked
// for once for each version.
class OtherVersions {
 public:
  // Borrows the cluster.
  explicit OtherVersions(const v1::Snapshot& cluster) : cluster_(cluster) {}

  const std::vector<std::string>& RunningAnother(const std::string& version);
  // One for each of them; of many, one for all.
  Fixes StopThem(const std::string& version);

 private:
  const v1::Snapshot& cluster_;
  std::map<std::string, std::vector<std::string>> by_version_;
};

// For the node to have Connect installed in this version. Where other nodes run another one, these
// are stopped first: two versions against one database are worse than no service.
Fixes InstallConnectFix(OtherVersions& others, const v1::NodeSnapshot& node,
                        const std::string& version);

}  // namespace connect_ha
