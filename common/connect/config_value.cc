#include "common/connect/config_value.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr std::pair<const char*, int64_t> kDurations[] = {
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"\xc2\xb5s", 1'000},
    {"\xce\xbcs", 1'000},
    {"ns", 1},
};

constexpr std::pair<const char*, uint64_t> kSizes[] = {
    {"b", 1},
    {"kb", 1'000},
    {"mb", 1'000'000},
    {"gb", 1'000'000'000},
    {"tb", 1'000'000'000'000},
    {"kib", uint64_t{1} << 10},
    {"mib", uint64_t{1} << 20},
    {"gib", uint64_t{1} << 30},
    {"tib", uint64_t{1} << 40},
    // As humans write them.
    {"k", 1'000},
    {"m", 1'000'000},
    {"g", 1'000'000'000},
    {"t", 1'000'000'000'000},
    {"ki", uint64_t{1} << 10},
    {"mi", uint64_t{1} << 20},
    {"gi", uint64_t{1} << 30},
    {"ti", uint64_t{1} << 40},
};

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool IsNumberCharacter(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
}

// Takes the number at the start of `text`; nullopt: there is none.
std::optional<double> TakeNumber(absl::string_view& text) {
  size_t size = 0;
  while (size < text.size() && IsNumberCharacter(text[size])) ++size;
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, size), &number)) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

}  // namespace

std::optional<bool> ReadConfigBool(std::string_view value) {
  for (const char* yes : {"true", "yes", "on", "1"}) {
    if (absl::EqualsIgnoreCase(View(value), yes)) return true;
  }
  for (const char* no : {"false", "no", "off", "0"}) {
    if (absl::EqualsIgnoreCase(View(value), no)) return false;
  }
  return std::nullopt;
}

std::optional<int64_t> ReadConfigDuration(std::string_view value) {
  int64_t bare = 0;
  if (absl::SimpleAtoi(View(value), &bare)) return bare;
  absl::string_view rest = View(value);
  const bool negative = absl::ConsumePrefix(&rest, "-");
  if (!negative) absl::ConsumePrefix(&rest, "+");
  if (rest.empty()) return std::nullopt;
  double total = 0;
  while (!rest.empty()) {
    const std::optional<double> number = TakeNumber(rest);
    if (!number) return std::nullopt;
    size_t size = 0;
    while (size < rest.size() && !IsNumberCharacter(rest[size])) ++size;
    const absl::string_view unit = rest.substr(0, size);
    rest.remove_prefix(size);
    const auto* found = std::find_if(std::begin(kDurations), std::end(kDurations),
                                     [&](const auto& known) { return unit == known.first; });
    if (found == std::end(kDurations)) return std::nullopt;
    total += *number * static_cast<double>(found->second);
  }
  constexpr double kLongest = 9.2e18;
  if (total > kLongest) return std::nullopt;
  return std::llround(negative ? -total : total);
}

std::optional<uint64_t> ReadConfigSize(std::string_view value) {
  uint64_t bare = 0;
  if (absl::SimpleAtoi(View(value), &bare)) return bare;
  absl::string_view rest = absl::StripAsciiWhitespace(View(value));
  const std::optional<double> number = TakeNumber(rest);
  if (!number) return std::nullopt;
  rest = absl::StripAsciiWhitespace(rest);
  const auto* found = std::find_if(std::begin(kSizes), std::end(kSizes), [&](const auto& known) {
    return absl::EqualsIgnoreCase(rest, known.first);
  });
  constexpr double kLargest = 1.8e19;
  if (found == std::end(kSizes)) return std::nullopt;
  const double bytes = *number * static_cast<double>(found->second);
  if (bytes > kLargest) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

std::string DurationText(int64_t nanoseconds) {
  if (nanoseconds == 0) return "0";
  for (const auto& [unit, size] : kDurations) {
    if (nanoseconds % size == 0) return absl::StrCat(nanoseconds / size, unit);
  }
  return absl::StrCat(nanoseconds, "ns");
}

}  // namespace connect_ha
