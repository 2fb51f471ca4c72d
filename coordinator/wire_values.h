// A message in its bytes, before it is parsed: its fields one after the other, and how many values
// it holds.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstddef>

#include "absl/strings/string_view.h"

namespace connect_ha {

// What comes first in a tag (protobuf's encoding).
enum class WireType {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

struct WireField {
  int number = 0;
  WireType type = WireType::kVarint;
  absl::string_view content;  // of kBytes
};

// Takes the first field off `message`. False at the end, and where it is no message.
bool TakeWireField(absl::string_view& message, WireField& field);

// The values at every depth of a `type` on the wire: scalars, strings, messages and what packed
// fields hold. Ends early once there are more than `most`, or where it is no message.
size_t CountValues(absl::string_view message, const google::protobuf::Descriptor& type,
                   size_t most);
// Those inside a field of a `type`.
size_t CountValuesInside(const WireField& field, const google::protobuf::Descriptor& type,
                         size_t most);

}  // namespace connect_ha
