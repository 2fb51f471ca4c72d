#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/coordinator/cli/world.h"

namespace connect_ha {

struct GoldenCase {
  std::string name;                     // of its file, with the folder
  std::vector<std::string> words;       // after connect-ha
  std::function<void(World&)> arrange;  // empty: the world as it is
  bool for_programs = false;            // JSON and the like: lines may be of any length
};
void PrintTo(const GoldenCase& golden, std::ostream* out);

// Of status and checklist; of the plan; of changes; of apply, preview and spec.
std::vector<GoldenCase> ChecklistCases();
std::vector<GoldenCase> PlanCases();
std::vector<GoldenCase> RolloutCases();
std::vector<GoldenCase> SpecCases();
// All: those, and what is left.
std::vector<GoldenCase> GoldenCases();

}  // namespace connect_ha
