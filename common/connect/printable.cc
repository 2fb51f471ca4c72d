#include "common/connect/printable.h"

#include <string_view>

#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

// Of well-formed UTF-8: also U+0080 to U+009F, of which some terminals take the second byte alone.
bool IsControl(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto is_c1 = [&](size_t lead) {
    return lead + 1 < text.size() && byte(lead) == 0xc2 && byte(lead + 1) >= 0x80 &&
           byte(lead + 1) < 0xa0;
  };
  if (byte(at) < 0x20) return text[at] != '\n' && text[at] != '\t';
  return byte(at) == 0x7f || is_c1(at) || (at > 0 && is_c1(at - 1));
}

void AppendEscaped(char byte, std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  text += "\\x";
  text += kDigits[value / 16];
  text += kDigits[value % 16];
}

}  // namespace

std::string Escaped(const std::string& text) {
  std::string printable;
  printable.reserve(text.size());
  size_t invalid = FindInvalidUtf8OrNul(text, 0);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > invalid) invalid = FindInvalidUtf8OrNul(text, i);
    if (i == invalid || IsControl(text, i)) {
      AppendEscaped(text[i], printable);
    } else {
      printable += text[i];
    }
  }
  return printable;
}

}  // namespace connect_ha
