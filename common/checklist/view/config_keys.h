// Which keys of Connect's configuration must be the same on every node.
#pragma once

#include "absl/strings/string_view.h"

namespace connect_ha {

enum class KeyClass {
  kMustMatch,
  kMayDiffer,
  kMustDiffer,  // has a rule of its own
  kUnknown,     // not in the table; judged as kMustMatch, and said to be unknown
};

struct ConfigKeyClass {
  const char* section;
  const char* name;  // "*" for the rest of the section
  KeyClass key_class;
  // What holds where the key is not set; null where that is not known.
  const char* otherwise;
};

// The key's row; a row of kUnknown where the table has none. Case-insensitive.
const ConfigKeyClass& ClassOf(absl::string_view section, absl::string_view name);

}  // namespace connect_ha
