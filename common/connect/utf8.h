#pragma once

#include <cstddef>
#include <string_view>

namespace connect_ha {

// The offset at or after `from` of the first byte that is NUL or begins no well-formed UTF-8
// sequence (RFC 3629: no overlong forms, no surrogates); text.size() when there is none.
size_t FindInvalidUtf8OrNul(std::string_view text, size_t from);

}  // namespace connect_ha
