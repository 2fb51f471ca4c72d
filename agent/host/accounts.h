// Users and groups, from wherever the system's name service has them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

struct AccountEntry {
  UserEntry user;
  std::string home;
};

// NotFound: no such user. May be called from any thread.
absl::StatusOr<AccountEntry> LookUpAccount(const std::string& name);
// NotFound: no such group.
absl::StatusOr<uint32_t> LookUpGroupId(const std::string& name);

}  // namespace connect_ha
