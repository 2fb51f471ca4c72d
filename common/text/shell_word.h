// Words of a command that a person is to paste into a shell, as root mostly. What comes from a
// node, a specification or the network may be anything: each of it goes through one of these.
#pragma once

#include <string>

namespace connect_ha {

// As a shell takes it, in quotes where it must. It may still look like an option.
std::string ShellWord(const std::string& text);
// The same for what stands where an option might: "-rf" becomes "-- -rf". Of several operands only
// the first may get its "--".
std::string ShellOperand(const std::string& text);

}  // namespace connect_ha
