// The cluster.yaml that `connect-ha init` puts there for a start.
#pragma once

#include <string>

namespace connect_ha {

// Valid as it is; what the administrator is to decide is in comments.
std::string ExampleSpec(const std::string& cluster);

}  // namespace connect_ha
