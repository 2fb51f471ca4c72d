// One look at every resource.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/resources/resource.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

struct LookedAt {
  Resource* resource = nullptr;
  absl::Status status;
  std::optional<v1::Change> change;  // with its resource's name
};

std::vector<LookedAt> LookAtAll(const std::vector<std::unique_ptr<Resource>>& resources);

// Null: nothing differs, or something before the first that does could not be looked at, since
// what comes later may need what comes earlier.
const LookedAt* FirstToChange(const std::vector<LookedAt>& looks);

// Trying again can help.
bool PassesByItself(const absl::Status& status);

// The error without its fix, and the fix.
v1::Trouble ToTrouble(const std::string& resource, const absl::Status& status);

// Everything that differs and everything that could not be looked at, in order.
v1::Preview ToPreview(const std::vector<LookedAt>& looks);

}  // namespace connect_ha
