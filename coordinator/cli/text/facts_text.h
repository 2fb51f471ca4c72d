// Any message as lines of "path value".
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace connect_ha {

struct FactLine {
  // connect.package.version, storage.mounts[/mnt/connect].fs_type: an element of a list goes by
  // what names it, or by its number.
  std::string path;
  std::string value;  // times as UTC, modes in octal, enums by name
};

// Every field that is set, in the order of the message's definition.
std::vector<FactLine> Flatten(const google::protobuf::Message& message);

}  // namespace connect_ha
