#include "common/command/json.h"

#include <google/protobuf/util/json_util.h>

namespace connect_ha {

namespace {

std::string Print(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Fails only for messages that hold google.protobuf.Any or times outside years 1 to 9999.
  if (!status.ok()) json = "{\"error\": \"a time of this message is out of range\"}";
  if (json.back() != '\n') json += '\n';
  return json;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) { return Print(message, true); }

std::string ToJsonLine(const google::protobuf::Message& message) { return Print(message, false); }

}  // namespace connect_ha
