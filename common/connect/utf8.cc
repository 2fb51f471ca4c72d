#include "common/connect/utf8.h"

#include <cstdint>

namespace connect_ha {
namespace {

// Length of the well-formed sequence at the start of `text`, which is not empty; 0 for none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  uint32_t code_point = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kSmallest[length] || code_point > 0x10ffff || surrogate) return 0;
  return length;
}

}  // namespace

size_t FindInvalidUtf8OrNul(std::string_view text, size_t from) {
  while (from < text.size()) {
    if (text[from] == '\0') return from;
    const size_t length = SequenceLength(text.substr(from));
    if (length == 0) return from;
    from += length;
  }
  return text.size();
}

}  // namespace connect_ha
