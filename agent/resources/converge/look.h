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

// Whether a resource's name is this, or begins with it: "package" and "package r-4.3.3" are
// beginnings of "package r-4.3.3".
bool IsNamed(const std::string& name, const std::string& beginning);
// Connect's unit.
bool IsUnit(const LookedAt& look);

// Everything that it comes after could be looked at and is as it should be. `unit_first`: Connect's
// unit is among that, where it is named.
bool IsReady(const LookedAt& look, const std::vector<LookedAt>& looks, bool unit_first = true);

// Trying again can help.
bool PassesByItself(const absl::Status& status);

// The error without its fix, and the fix.
v1::Trouble ToTrouble(const std::string& resource, const absl::Status& status);

// Everything that differs and everything that could not be looked at, in order.
v1::Preview ToPreview(const std::vector<LookedAt>& looks);

}  // namespace connect_ha
