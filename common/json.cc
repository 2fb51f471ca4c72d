#include "common/json.h"

#include <google/protobuf/util/json_util.h>

namespace connect_ha {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Fails only for messages that hold google.protobuf.Any or times outside years 1 to 9999.
  return status.ok() ? json : "{\"error\": \"a time of this message is out of range\"}\n";
}

}  // namespace connect_ha
