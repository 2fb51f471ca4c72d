// The formats of systemd's EnvironmentFile= and Environment= (systemd.exec(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

struct EnvironmentLine {
  std::string assignment;  // NAME=value
  unsigned line = 0;       // from 1
};

// The assignments in file order, quotes and escapes resolved. Lines that are no assignment are left
// out, as systemd does.
std::vector<EnvironmentLine> ParseEnvironmentFile(std::string_view text);

// The line of the last Environment= in a unit's file or drop-in that assigns the variable, from 1;
// 0: none does.
unsigned FindEnvironmentLine(std::string_view unit_file, std::string_view name);

}  // namespace connect_ha
