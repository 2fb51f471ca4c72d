// One look at every resource.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/resources/resource.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// What a trouble with the specification as a whole is said to be about.
inline constexpr char kSpecificationName[] = "specification";

struct LookedAt {
  Resource* resource = nullptr;
  absl::Status status;
  std::optional<v1::Change> change;  // with its resource's name
};

// What a change takes is NOTHING where its resource does not say, and it interrupts nothing.
std::vector<LookedAt> LookAtAll(const std::vector<std::unique_ptr<Resource>>& resources);
// The same of a node: where Connect is not installed, and does not run, there is nobody to
// interrupt.
std::vector<LookedAt> LookAtNode(const ResourceContext& context,
                                 const std::vector<std::unique_ptr<Resource>>& resources);

// As a person reads them.
bool SameChange(const v1::Change& a, const v1::Change& b);
// Those that take most first; else as they are. All have a change.
void SortByNeeds(std::vector<const LookedAt*>& changes);
// The most that one of the changes takes.
v1::Change::Needs MostNeeded(const google::protobuf::RepeatedPtrField<v1::Change>& changes);

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
