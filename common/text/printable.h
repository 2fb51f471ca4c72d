// What comes from a node, a program or the network may be anything: names of files and mounts, what
// was printed. In a message it must be UTF-8, or its receiver refuses the whole message; and on a
// terminal it must not be a command to that. Where it is kept, short_text.h bounds it too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace connect_ha {

// How many bytes the control character has that begins at `at`, 1 or 2; 0: none begins there. Those
// of two bytes are U+0080 to U+009F, of which some terminals take the second byte alone.
size_t ControlBytes(std::string_view text, size_t at);

// For a message: every byte that is no part of well-formed UTF-8, and every control character but
// line feed and tab, as \x and two hex digits: two texts that differ still do.
std::string Escaped(const std::string& text);

// For one line of a terminal: control characters turned to spaces, so that what a node reports does
// not move an administrator's cursor.
std::string Printable(std::string_view text);

}  // namespace connect_ha
