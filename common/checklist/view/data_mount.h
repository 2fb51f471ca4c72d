// The mount that Connect's data is to be on.
#pragma once

#include <optional>
#include <string>

#include "common/checklist/view/place.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// The specification's mount point or, where it names none, the one that Server.DataDir is on;
// "" when neither is known.
std::string DataMountPoint(const v1::StorageSpec& spec, const v1::Facts& facts);

// What the specification wants mounted; nullopt when it does not say.
std::optional<Place> WantedPlace(const v1::StorageSpec& spec);
// Whether this is what the specification wants. Of an EFS file system another access point, or a
// directory of it, is another directory tree.
Sameness SameAsWanted(const v1::StorageSpec& spec, const v1::Mount& mount);
// "by access point fsap-0cd2, wanted none", "by no access point, wanted fsap-0ab1"; "" where it is
// as the specification wants, or is not known.
std::string AccessPointFault(const v1::StorageSpec& spec, const v1::Mount& mount);

// Nothing is mounted there until somebody uses it (autofs).
bool IsIdleAutomount(const v1::Facts& facts, const std::string& mount_point);

}  // namespace connect_ha
