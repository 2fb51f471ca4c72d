// Faults in copies of the plan, of the agent and of what the coordinator does around the plan, one
// for each invariant: what is never broken might as well never be looked at.
#pragma once

#include <string>
#include <vector>

#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {

struct Planted {
  const char* name;  // "counts-a-node-that-is-not-there"
  // The invariant that some schedule breaks by it before any other.
  std::string caught_by;
  Subject subject;
};
const std::vector<Planted>& AllPlanted();

}  // namespace connect_ha::simulation
