// Words from outside, as they may be kept, shown and logged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace connect_ha {

// The most that is kept of a name (of a machine, a resource, a version) and of a sentence.
inline constexpr size_t kNameBytes = 256;
inline constexpr size_t kTextBytes = 1024;

// At most `bytes` (3 or more) of it, cut between two characters, with "..." at the end where
// something was left out. The result is UTF-8 of one line: each control character, and each byte
// that belongs to no character, is a '?'.
std::string ShortText(std::string_view text, size_t bytes);

// The same for what has lines: they stay.
std::string ShortLines(std::string_view text, size_t bytes);

// As ShortText, of what is too long or has a byte that belongs to no character: for one such byte
// nobody could read the message that it is in.
void KeepShort(std::string& text, size_t bytes);

// Its first characters that have no more than `bytes` together, as of a digest or an id.
std::string FirstCharacters(std::string_view text, size_t bytes);

}  // namespace connect_ha
