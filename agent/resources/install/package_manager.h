// The node's package manager. apt is the only one that is built.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// InvalidArgument where this node has no apt: the one place that chooses.
absl::Status CheckPackageManager(Host& host);

struct AptInstall {
  std::string package;
  std::string file;  // the .deb
  bool reinstall = false;
  bool downgrade = false;
};

// The argument lists that install it, one after the other: what an interrupted dpkg left is
// finished first.
absl::StatusOr<std::vector<std::vector<std::string>>> AptCommands(const ResourceContext& context,
                                                                  const AptInstall& install);
std::vector<std::string> AptUpdate();
std::vector<std::string> AptHold(const std::string& package);
absl::StatusOr<std::vector<std::vector<std::string>>> AptPurge(const ResourceContext& context,
                                                               const std::string& package);
// For what never came to be installed: apt does not touch what it would have to reinstall first.
std::vector<std::vector<std::string>> DpkgPurge(const std::string& package);

}  // namespace connect_ha
