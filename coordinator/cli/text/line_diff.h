#pragma once

#include <string>

namespace connect_ha {

// The lines that two texts do not share, "-" for those of `a` and "+" for those of `b`, with the
// line above and below, and "..." where lines are left out; "" when they are the same.
std::string DiffLines(const std::string& a, const std::string& b);

}  // namespace connect_ha
