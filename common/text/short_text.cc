#include "common/text/short_text.h"

#include "common/connect/utf8.h"
#include "common/text/printable.h"

namespace connect_ha {
namespace {

constexpr std::string_view kCut = "...";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The end of the last whole character in the first `bytes`.
size_t EndOfCharacter(std::string_view text, size_t bytes) {
  size_t end = bytes;
  for (int back = 0; back < 3 && end > 0 && IsContinuation(text[end]); ++back) --end;
  return end;
}

// Appends what is well-formed.
void AppendCharacters(std::string_view text, bool with_lines, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const size_t control = ControlBytes(text, at);
    const bool stays = control == 0 || (with_lines && text[at] == '\n');
    out += stays ? text[at] : '?';
    at += control == 0 ? 1 : control;
  }
}

std::string Short(std::string_view text, size_t bytes, bool with_lines) {
  const bool cut = text.size() > bytes;
  if (cut) text = text.substr(0, EndOfCharacter(text, bytes - kCut.size()));
  std::string out;
  out.reserve(text.size() + (cut ? kCut.size() : 0));
  for (size_t from = 0; from < text.size();) {
    const size_t wrong = FindInvalidUtf8OrNul(text, from);
    AppendCharacters(text.substr(from, wrong - from), with_lines, out);
    if (wrong < text.size()) out += '?';
    from = wrong + 1;
  }
  if (cut) out += kCut;
  return out;
}

}  // namespace

std::string ShortText(std::string_view text, size_t bytes) {
  return Short(text, bytes, /*with_lines=*/false);
}

std::string ShortLines(std::string_view text, size_t bytes) {
  return Short(text, bytes, /*with_lines=*/true);
}

void KeepShort(std::string& text, size_t bytes) {
  const bool is_well = text.size() <= bytes && FindInvalidUtf8OrNul(text, 0) == text.size();
  if (!is_well) text = ShortText(text, bytes);
}

std::string FirstCharacters(std::string_view text, size_t bytes) {
  if (text.size() > bytes) text = text.substr(0, EndOfCharacter(text, bytes));
  return std::string(text);
}

}  // namespace connect_ha
