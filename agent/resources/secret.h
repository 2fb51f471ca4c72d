#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// A secret's value, found on this node where the specification says; a line feed at its end is not
// part of it. FailedPrecondition: there is none, it is not below /etc/connect-ha/secrets, or others
// than root can read the file. No message has any of it.
absl::StatusOr<std::string> ResolveSecret(const ResourceContext& context, const std::string& name);

}  // namespace connect_ha
