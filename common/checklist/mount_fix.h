// What to do about a network mount that does not work.
#pragma once

#include <string>

#include "common/checklist/fix.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Its server does not answer: where to look at the way there, and what not to do meanwhile. None
// where the mount does not say who its server is.
Fixes ServerFix(const std::string& node, const v1::Mount& mount);

// Its server does not know any more what is mounted here.
Fixes StaleFix(const std::string& node, const std::string& mount_point);

// It answers, and is mounted wrongly.
Fixes MountAnewFix(const std::string& node, const std::string& mount_point);

}  // namespace connect_ha
