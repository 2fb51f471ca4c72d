// What comes from a node may be anything: names of files and mounts, what programs print. In a
// message it must be UTF-8, or its receiver refuses the whole message; and on a terminal it must
// not be a command to that.
#pragma once

#include <string>

namespace connect_ha {

// Every byte that is no part of well-formed UTF-8, and every control character but line feed and
// tab, as \x and two hex digits: two texts that differ still do.
std::string Escaped(const std::string& text);

}  // namespace connect_ha
