// Keys of the configuration in words that are safe to show.
#pragma once

#include <string>

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Section.Name or Section "sub".Name, as first written.
std::string KeyName(const v1::ConfigKey& key);
// KeyName but for case: the same for every spelling of the key.
std::string KeyIdentity(const v1::ConfigKey& key);
// "4", "a, b", and for a secret the first digits of its keyed digest. For null what holds where
// the key is not set: `otherwise`, or "not set" when that is null.
std::string KeyText(const v1::ConfigKey* key, const char* otherwise);

}  // namespace connect_ha
