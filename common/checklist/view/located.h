// Directories of nodes, and where they really are.
#pragma once

#include <optional>
#include <string>

#include "common/checklist/verdict.h"
#include "common/checklist/view/place.h"

namespace connect_ha {

struct Located {
  const v1::NodeSnapshot* node;
  const v1::DataDirectory* directory;
  Place place;
};

// What Connect's nodes must have in common: Server.DataDir, Database.Dir, Server.LandingDir.
bool IsSharedKey(const std::string& key);

// True, and the node unknown, when its directories or mounts could not be observed.
bool StorageUnobserved(const v1::NodeSnapshot& node, Verdict& verdict);

// The mount that a directory is on; null, and the node unknown, when it is not reported.
const v1::Mount* MountOf(const v1::NodeSnapshot& node, const v1::DataDirectory& directory,
                         Verdict& verdict);

// Where a file is; nullopt where it is on no network file system, as far as is known.
std::optional<Place> PlaceOnNetwork(const v1::Facts& facts, const std::string& path);

// Of a directory on a mount whose type may be a local or a network one.
std::string UnknownTypeText(const v1::DataDirectory& directory, const v1::Mount& mount);

}  // namespace connect_ha
