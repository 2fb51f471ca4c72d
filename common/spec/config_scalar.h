// Scalars of a YAML file as values of protobuf fields.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// "500ms", "30s", "5m", "1h30m", "2d": whole numbers with units, largest unit first or not.
absl::StatusOr<google::protobuf::Duration> ParseConfigDuration(const std::string& text);

// What a field wants, for a message: "a number", "true or false", "a duration as 30s or 1h30m",
// "text".
std::string DescribeFieldType(const google::protobuf::FieldDescriptor& field);

// Sets the field, or adds to a repeated one. `quoted`: the file says explicitly that this is
// text. An error's message goes on from the field's name: must be a number, not "abc".
absl::Status StoreScalar(google::protobuf::Message& message,
                         const google::protobuf::FieldDescriptor& field, const std::string& text,
                         bool quoted);

}  // namespace connect_ha
