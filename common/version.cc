#include "common/version.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr std::array<absl::string_view, 5> kDistributions = {"ubuntu", "debian", "el", "rhel",
                                                             "deb"};

bool IsDistribution(absl::string_view suffix) {
  return std::any_of(kDistributions.begin(), kDistributions.end(),
                     [suffix](absl::string_view name) { return absl::StartsWith(suffix, name); });
}

bool IsPackageRevision(absl::string_view suffix) {
  return !suffix.empty() && std::all_of(suffix.begin(), suffix.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || c == '.';
  });
}

struct ParsedVersion {
  std::vector<uint64_t> numbers;
  std::string pre_release;
};

ParsedVersion ParseVersion(absl::string_view version) {
  const std::string plain = PlainVersion(version);
  const size_t end = std::min(plain.find_first_of("-~"), plain.size());
  ParsedVersion parsed;
  parsed.pre_release = plain.substr(end);
  for (const absl::string_view part : absl::StrSplit(plain.substr(0, end), '.')) {
    uint64_t number = 0;
    if (!absl::SimpleAtoi(part, &number))
      parsed.pre_release = absl::StrCat(part, parsed.pre_release);
    parsed.numbers.push_back(number);
  }
  return parsed;
}

}  // namespace

std::string PlainVersion(absl::string_view version) {
  absl::ConsumePrefix(&version, "v");
  version = version.substr(0, version.find('+'));
  if (const size_t tilde = version.rfind('~'); tilde != absl::string_view::npos) {
    if (IsDistribution(version.substr(tilde + 1))) version = version.substr(0, tilde);
  }
  if (const size_t dash = version.rfind('-'); dash != absl::string_view::npos) {
    if (IsPackageRevision(version.substr(dash + 1))) version = version.substr(0, dash);
  }
  return std::string(version);
}

bool LooksLikeVersion(absl::string_view text) {
  constexpr size_t kLongest = 64;
  const size_t dot = text.find('.');
  if (dot == 0 || dot == absl::string_view::npos || dot + 1 == text.size()) return false;
  const auto is_digit = [](unsigned char c) { return absl::ascii_isdigit(c); };
  const auto is_known = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '+' || c == '-' || c == '~' || c == '_';
  };
  const absl::string_view major = text.substr(0, dot);
  return text.size() <= kLongest && std::all_of(major.begin(), major.end(), is_digit) &&
         is_digit(static_cast<unsigned char>(text[dot + 1])) &&
         std::all_of(text.begin(), text.end(), is_known);
}

bool SameVersion(absl::string_view a, absl::string_view b) {
  const auto without_zeros = [](absl::string_view version) {
    std::vector<std::string> parts = absl::StrSplit(PlainVersion(version), '.');
    for (std::string& part : parts) {
      part.erase(0, std::min(part.find_first_not_of('0'), part.size() - (part.empty() ? 0 : 1)));
    }
    return absl::StrJoin(parts, ".");
  };
  return without_zeros(a) == without_zeros(b);
}

int CompareVersions(absl::string_view a, absl::string_view b) {
  const ParsedVersion left = ParseVersion(a);
  const ParsedVersion right = ParseVersion(b);
  if (left.numbers != right.numbers) return left.numbers < right.numbers ? -1 : 1;
  if (left.pre_release == right.pre_release) return 0;
  if (left.pre_release.empty()) return 1;
  if (right.pre_release.empty()) return -1;
  return left.pre_release < right.pre_release ? -1 : 1;
}

}  // namespace connect_ha
