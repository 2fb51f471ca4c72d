#include "coordinator/cli/text/duration.h"

#include <google/protobuf/util/time_util.h>

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

// Seconds in a unit; 0: not a unit.
int64_t UnitSeconds(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return 0;
  }
}

}  // namespace

absl::StatusOr<std::chrono::seconds> ParseDuration(const std::string& text) {
  constexpr int64_t kLongest = 1000000;  // of a unit: nothing overflows
  const auto wrong = absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is not a valid duration; fix: write it like 90s, 30m, 12h or 2d"));
  int64_t total = 0;
  int64_t number = -1;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      number = (number < 0 ? 0 : number) * 10 + (c - '0');
      if (number > kLongest) return wrong;
    } else {
      if (number < 0 || UnitSeconds(c) == 0) return wrong;
      total += number * UnitSeconds(c);
      number = -1;
    }
  }
  if (number >= 0 || total <= 0) return wrong;
  return std::chrono::seconds(total);
}

absl::StatusOr<Time> ParseEnd(const std::string& text, Time now) {
  const auto span = ParseDuration(text);
  if (span.ok()) return now + *span;
  google::protobuf::Timestamp timestamp;
  if (google::protobuf::util::TimeUtil::FromString(text, &timestamp)) return FromProto(timestamp);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is neither a span nor a time; fix: write it like 2h, 1d or ",
                   FormatUtc(now + std::chrono::hours(2))));
}

}  // namespace connect_ha
