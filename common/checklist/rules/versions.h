// Words about versions of Connect that several rules need.
#pragma once

#include <string>

namespace connect_ha {

// What to type for NODE to have Connect installed in this version; "" where none is wanted.
std::string InstallConnectFix(const std::string& version);

}  // namespace connect_ha
