// Which keys of Connect's configuration must be the same on every node.
#pragma once

#include "absl/strings/string_view.h"
#include "common/connect/connect_keys.h"

namespace connect_ha {

struct ConfigKeyClass {
  KeyClass key_class;
  // What holds where the key is not set; null where that is not known, or depends on another key.
  const char* otherwise;
};

// Of the table of Connect's keys; kUnknown for one of a section that is not there.
// Case-insensitive.
const ConfigKeyClass& ClassOf(absl::string_view section, absl::string_view name);

}  // namespace connect_ha
