// How far a node is with the generation in force, and with the newest one.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// It has taken this generation, of this store; its agent has looked at all of it.
bool HoldsGeneration(const v1::PlanInput& input, const v1::PlanNode& node);
bool SpeaksOfGeneration(const v1::PlanInput& input, const v1::PlanNode& node);
// It speaks of it, and cannot make something of it: convergence.troubles say what.
bool IsStuck(const v1::PlanInput& input, const v1::PlanNode& node);
// Both, and every resource is as it says.
bool HasConverged(const v1::PlanInput& input, const v1::PlanNode& node);
// The same; while an agent that was started again has not looked at everything, what was right is.
bool IsReady(const v1::PlanInput& input, const v1::PlanNode& node);

// Of all that there are, in force or not.
uint64_t NewestGeneration(const v1::PlanInput& input);
// It speaks of the newest one, which is not in force.
bool SpeaksOfNext(const v1::PlanInput& input, const v1::PlanNode& node);
// It holds one that is newer than the one in force: the store was an older copy, and a person has
// applied one since that is not in force yet. It is not moved back meanwhile; that one may stop it,
// once it is begun.
bool HoldsNewer(const v1::PlanInput& input, const v1::PlanNode& node);

// As its agent names it (Change.resource).
inline constexpr char kConnectsPackage[] = "package rstudio-connect";
inline constexpr char kVersionsResource[] = "versions";  // what is no longer named is removed
// What it takes to make a change on a node whose Connect runs, also where its agent does not say.
v1::Change::Needs NeedsOfChange(const v1::Change& change);
// The greatest of what is said of all and of these.
v1::Change::Needs GreatestNeeds(v1::Change::Needs of_all,
                                const google::protobuf::RepeatedPtrField<v1::Change>& changes);
// The first of what differs for which Connect would have to rest; null: none.
const v1::Change* FirstThatInterrupts(const v1::Convergence& convergence);

// What runs there, or would; "": not known, or none.
const std::string& VersionOf(const v1::PlanNode& node);

}  // namespace connect_ha
