// The phases of a change and how it can end, as a table that prints itself; the lab goes through
// it.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

struct PhaseRow {
  v1::RolloutStatus::Phase phase;
  const char* name;     // "staging", as `connect-ha rollout status` has it
  const char* kinds;    // "together", "rolling, together": of which changes
  const char* meaning;  // what is being done
  const char* nodes;    // what every node is meanwhile, and whether users are served
  const char* goes_on;  // what ends it
  const char* fails;    // what can go wrong, what every node is then, what to type
};

// In the order of RolloutStatus.Phase, without PHASE_UNSPECIFIED.
const std::vector<PhaseRow>& Phases();
const PhaseRow* FindPhase(v1::RolloutStatus::Phase phase);
std::string PhasesMarkdown();

}  // namespace connect_ha
