// The format of systemd's EnvironmentFile= (systemd.exec(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

// NAME=value in file order, quotes and escapes resolved. Lines that are no assignment are left
// out, as systemd does.
std::vector<std::string> ParseEnvironmentFile(std::string_view text);

}  // namespace connect_ha
