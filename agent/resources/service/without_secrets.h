// What a program of this node printed, as it may be told.
#pragma once

#include <string>

#include "agent/resources/resource.h"

namespace connect_ha {

// `text` with "***" for the values of the specification's secrets, as far as they can be read here,
// and for private keys; line by line for what RedactPasswords finds.
std::string WithoutSecrets(const ResourceContext& context, const std::string& text);

}  // namespace connect_ha
