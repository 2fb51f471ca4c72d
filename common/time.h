#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <string>

namespace connect_ha {

// Points in time are microseconds since 1970 on the system clock everywhere in this project.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

google::protobuf::Timestamp ToProto(Time time);
// Never before the year 1 or after 9999.
Time FromProto(const google::protobuf::Timestamp& timestamp);

// "2024-08-01T12:00:00Z"
std::string FormatUtc(Time time);

// For a person: "0s", "42s", "5m 10s", "3h 2m", "4d 1h". Negative spans print as "0s".
std::string FormatSpan(std::chrono::microseconds span);

}  // namespace connect_ha
