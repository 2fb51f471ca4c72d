#include "common/text/short_text.h"

#include "common/connect/utf8.h"

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

// U+0080 to U+009F, which a terminal may take for commands.
bool IsC1(std::string_view text, size_t at) {
  return text[at] == '\xc2' && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

// Appends what is well-formed.
void AppendCharacters(std::string_view text, bool with_lines, std::string& out) {
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '\n' && with_lines) {
      out += '\n';
    } else if (c < ' ' || c == 0x7f) {
      out += '?';
    } else if (IsC1(text, at)) {
      out += '?';
      ++at;
    } else {
      out += text[at];
    }
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

}  // namespace connect_ha
