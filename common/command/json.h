#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace connect_ha {

// Protobuf's JSON with the names of the .proto, indented, ending in a newline. Numbers, flags and
// texts that are zero are written; optional fields that are absent are not.
std::string ToJson(const google::protobuf::Message& message);
// The same on one line.
std::string ToJsonLine(const google::protobuf::Message& message);

}  // namespace connect_ha
