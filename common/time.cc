#include "common/time.h"

#include <algorithm>
#include <ctime>

namespace connect_ha {

using std::chrono::microseconds;

google::protobuf::Timestamp ToProto(Time time) {
  const int64_t us = time.time_since_epoch().count();
  int64_t seconds = us / 1'000'000;
  int64_t rest = us % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(rest * 1000));
  return timestamp;
}

Time FromProto(const google::protobuf::Timestamp& timestamp) {
  // Of the years 1 and 9999: what is beyond is no Timestamp, whoever sent it.
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  const int64_t seconds = std::clamp<int64_t>(timestamp.seconds(), kFirst, kLast);
  return Time(microseconds(seconds * 1'000'000 + timestamp.nanos() / 1000));
}

std::string FormatUtc(Time time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string FormatSpan(microseconds span) {
  const int64_t total = span.count() < 0 ? 0 : span.count() / 1'000'000;
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  for (size_t i = 0; i < 3; ++i) {
    if (total < kUnits[i].seconds) continue;
    std::string text = std::to_string(total / kUnits[i].seconds) + kUnits[i].name;
    const int64_t rest = total % kUnits[i].seconds / kUnits[i + 1].seconds;
    if (rest > 0) text += " " + std::to_string(rest) + kUnits[i + 1].name;
    return text;
  }
  return std::to_string(total) + "s";
}

}  // namespace connect_ha
