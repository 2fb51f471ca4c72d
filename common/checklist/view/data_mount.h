// The mount that Connect's data is to be on.
#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// The specification's mount point or, where it names none, the one that Server.DataDir is on;
// "" when neither is known.
std::string DataMountPoint(const v1::StorageSpec& spec, const v1::Facts& facts);

}  // namespace connect_ha
