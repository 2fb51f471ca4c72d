// Who a certificate speaks for: connect-ha://CLUSTER/ROLE/NAME, its one URI SAN.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

enum class Role { kNode, kAdmin, kCoordinator };

struct Identity {
  std::string cluster;
  Role role = Role::kNode;
  std::string name;

  bool operator==(const Identity& other) const {
    return cluster == other.cluster && role == other.role && name == other.name;
  }
};

// "node", "admin", "coordinator"
std::string RoleName(Role role);

// "connect-ha://analytics/node/node-1"
std::string FormatIdentity(const Identity& identity);
absl::StatusOr<Identity> ParseIdentityUri(std::string_view uri);

// "node/node-1": the actor of an event.
std::string FormatActor(const Identity& identity);

// Names of nodes, clusters and admins: 1 to 63 of a-z, 0-9 and '-', not at either end.
// `what` is for the message: "node name".
absl::Status CheckName(std::string_view what, std::string_view name);

}  // namespace connect_ha
