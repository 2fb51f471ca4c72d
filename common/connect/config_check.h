// What is wrong with Connect's configuration file beyond its grammar.
#pragma once

#include <string>
#include <vector>

#include "common/connect/gcfg.h"

namespace connect_ha {

struct ConfigNote {
  enum class Kind {
    kRefused,  // Connect does not start with it
    kMistake,  // Connect reads something else than was meant
    kNotice,   // Connect reads it, and it may be what was meant
  };
  Kind kind = Kind::kRefused;
  unsigned line = 0;
  unsigned column = 0;
  std::string message;  // no part of a value is in it
};

// In the file's order, errors of its grammar among them. Names that stand alone and are no key of
// Connect's are not repeated: one may be a secret that stands below its key.
std::vector<ConfigNote> CheckConnectConfig(const GcfgFile& file);

// The entries whose names may be repeated, as CheckConnectConfig sees it.
std::vector<GcfgEntry> WithoutStraySecrets(const std::vector<GcfgEntry>& entries);

}  // namespace connect_ha
