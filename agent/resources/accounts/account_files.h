// /etc/passwd and /etc/group by number, and what on this node belongs to a number.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// The name that the number has in this file (passwd(5) and group(5) have both in the same
// columns); "" when it has none.
absl::StatusOr<std::string> NameOfId(Host& host, const std::string& file, uint32_t id);

// "3 of 57 files looked at below /mnt/connect belong to it": what an administrator has to know
// before renumbering. Looks at a few hundred entries at the top of the shared storage and of
// Connect's own directory, and stops at the first that does not answer.
std::string DescribeOwned(const ResourceContext& context, uint32_t id, bool is_group);

}  // namespace connect_ha
