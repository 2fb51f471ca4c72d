// The nearest valid name to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

// The name that `word` is most likely meant to be: fewest letters added, left out, changed or
// swapped with the next, or one that `word` begins. Empty when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace connect_ha
