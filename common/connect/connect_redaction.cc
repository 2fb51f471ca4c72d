#include "common/connect/connect_redaction.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace connect_ha {
namespace {

constexpr char kMask[] = "***";
constexpr char kPlaceholder[] = "{$}";

// Replaces text[begin, end) and returns where to go on.
size_t Mask(size_t begin, size_t end, Redacted& redacted) {
  const std::string password = redacted.text.substr(begin, end - begin);
  if (password.empty() || password == kPlaceholder || password == kMask) return end;
  redacted.passwords += password + "\n";
  redacted.text.replace(begin, end - begin, kMask);
  return begin + std::string(kMask).size();
}

// From the first colon after "://" to the last @ of the word: a password may hold any character,
// encoded or not.
void RedactUserInfo(Redacted& redacted) {
  size_t at = 0;
  while ((at = redacted.text.find("://", at)) != std::string::npos) {
    const size_t begin = at + 3;
    size_t end = redacted.text.find_first_of(" \t\n", begin);
    end = std::min(end, redacted.text.size());
    const size_t at_sign = redacted.text.rfind('@', end);
    const size_t colon = redacted.text.find(':', begin);
    at = begin;
    if (at_sign != std::string::npos && colon != std::string::npos && colon < at_sign) {
      at = Mask(colon + 1, at_sign, redacted);
    }
  }
}

bool NamesAPassword(const std::string& name) {
  const std::string lower = absl::AsciiStrToLower(name);
  constexpr const char* kEndings[] = {"password", "passwd", "pwd", "secret", "token"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* ending) { return absl::EndsWith(lower, ending); });
}

// password=..., in a URL's query or a list of NAME=VALUE words with or without quotes.
void RedactParameters(Redacted& redacted) {
  size_t at = 0;
  while ((at = redacted.text.find('=', at)) != std::string::npos) {
    const size_t equals = at++;
    size_t name = equals;
    while (name > 0 && (absl::ascii_isalnum(static_cast<unsigned char>(redacted.text[name - 1])) ||
                        redacted.text[name - 1] == '_')) {
      --name;
    }
    if (!NamesAPassword(redacted.text.substr(name, equals - name))) continue;
    const bool quoted = redacted.text.compare(at, 1, "'") == 0;
    if (quoted) ++at;
    const size_t end = redacted.text.find_first_of(quoted ? "'" : "& \t\n", at);
    at = Mask(at, std::min(end, redacted.text.size()), redacted);
  }
}

}  // namespace

Redacted RedactPasswords(std::string_view value) {
  Redacted redacted{std::string(value), ""};
  RedactUserInfo(redacted);
  RedactParameters(redacted);
  return redacted;
}

}  // namespace connect_ha
