// What apt fetches by its lists: what a package comes with, and the lists themselves, which are old
// or not there on a fresh image. They are renewed when they are in the way, and only then, so that
// a node without a mirror installs what needs none. `digest`: of the package's artifact.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// Has apt's cache hold what the package would be installed with: the packages in it, these among
// them. None, without asking anybody, where that is nothing. Errors as of Install (installer.h);
// FailedPrecondition: no mirror has it.
absl::StatusOr<std::vector<std::string>> FetchOthers(const ResourceContext& context,
                                                     const AptInstall& install,
                                                     const std::string& digest, Progress& progress);

absl::Status RenewLists(const ResourceContext& context, const std::string& package,
                        const std::string& digest, Progress& progress);

// Of an installation by lists that were renewed: NotFound is for a person.
absl::Status NeedsMirror(const absl::Status& status, const std::string& package);

}  // namespace connect_ha
