#include "common/text/printable.h"

#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

void AppendEscaped(std::string_view bytes, std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += "\\x";
    text += kDigits[value / 16];
    text += kDigits[value % 16];
  }
}

}  // namespace

size_t ControlBytes(std::string_view text, size_t at) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(at) < ' ' || byte(at) == 0x7f) return 1;
  const bool is_c1 =
      byte(at) == 0xc2 && at + 1 < text.size() && byte(at + 1) >= 0x80 && byte(at + 1) < 0xa0;
  return is_c1 ? 2 : 0;
}

std::string Escaped(const std::string& text) {
  const std::string_view view = text;
  std::string printable;
  printable.reserve(text.size());
  size_t invalid = FindInvalidUtf8OrNul(text, 0);
  for (size_t i = 0; i < text.size();) {
    if (i > invalid) invalid = FindInvalidUtf8OrNul(text, i);
    const size_t control = i == invalid ? 1 : ControlBytes(text, i);
    if (control == 0 || (i != invalid && (text[i] == '\n' || text[i] == '\t'))) {
      printable += text[i++];
    } else {
      AppendEscaped(view.substr(i, control), printable);
      i += control;
    }
  }
  return printable;
}

std::string Printable(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t control = ControlBytes(text, i);
    printable += control == 0 ? text[i] : ' ';
    i += control == 0 ? 1 : control;
  }
  return printable;
}

}  // namespace connect_ha
