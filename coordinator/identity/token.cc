#include "coordinator/identity/token.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"
#include "common/tls/identity.h"

namespace connect_ha {
namespace {

constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648, lower case
constexpr size_t kIdSize = 10;
constexpr size_t kSecretSize = 52;  // of 5 bits: 260

std::string RandomText(size_t size) {
  std::string text = RandomBytes(size);
  for (char& c : text) c = kAlphabet[static_cast<unsigned char>(c) % 32];
  return text;
}

}  // namespace

JoinToken MakeJoinToken() { return JoinToken{RandomText(kIdSize), RandomText(kSecretSize)}; }

bool NameMatches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return true;
  // A * that does not work out takes one character more and is tried again.
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

absl::Status CheckNamePattern(std::string_view pattern) {
  if (pattern.empty()) return absl::OkStatus();
  if (IsExactName(pattern)) return CheckName("node name", pattern);
  std::string name(pattern);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '*' || c == '?'; }, 'x');
  if (CheckName("node name pattern", name).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the node name pattern is not valid; fix: use a-z, 0-9, - and the wildcards * and ?");
}

bool IsExactName(std::string_view pattern) {
  return !pattern.empty() && pattern.find_first_of("*?") == std::string_view::npos;
}

}  // namespace connect_ha
