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

inline constexpr char kEfsUtilsPackage[] = "amazon-efs-utils";

// The names that Connect's, amazon-efs-utils', R's and Python's packages have to have, in the order
// in which they are installed. Connect's is always the first.
std::vector<std::string> NamedPackages(const v1::ClusterSpec& spec);

// dpkg has it half installed or half configured: until that is mended apt fails beside it, whatever
// it is asked for.
bool IsUnfinished(const v1::Package& package);
bool IsOnHold(const v1::Package& package);

struct AptInstall {
  std::string package;
  std::string file;  // the .deb
  bool reinstall = false;
  bool downgrade = false;
  bool held = false;  // on hold, which is taken from it, and from no other, while it is installed
};

// The argument lists that install it, one after the other: what an interrupted dpkg left is
// finished first. Nothing is removed for it.
absl::StatusOr<std::vector<std::vector<std::string>>> AptCommands(const ResourceContext& context,
                                                                  const AptInstall& install);
// Brings what it comes with into apt's cache, and installs nothing.
std::vector<std::string> AptFetch(const AptInstall& install);
// Those that run at the end, also when it failed.
std::vector<std::vector<std::string>> AptAtEnd(const AptInstall& install);
// Prints what it would do, to every package; does nothing.
std::vector<std::string> AptSimulation(const AptInstall& install);
std::vector<std::string> AptUpdate();
std::vector<std::string> AptHold(const std::string& package);
// Takes some off hold, and puts others on.
std::vector<std::vector<std::string>> AptHolds(const std::vector<std::string>& off,
                                               const std::vector<std::string>& on);
// Not by apt, which takes along what depends on it, and does not touch what it would have to
// reinstall first: dpkg fails where another package needs this one.
std::vector<std::vector<std::string>> Purge(const std::string& package);
// The same, after what an interrupted dpkg left is finished.
absl::StatusOr<std::vector<std::vector<std::string>>> RepairAndPurge(const ResourceContext& context,
                                                                     const std::string& package);

}  // namespace connect_ha
