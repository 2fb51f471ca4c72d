// What nodes would change, for a person to agree to.
#pragma once

#include "common/command_line.h"
#include "connect_ha/v1/admin_service.pb.h"

namespace connect_ha {

// Nodes with the same plan stand together; those that did not answer are named with the reason.
void PrintPlans(Terminal& terminal, const v1::GetPlansResponse& plans);

// How many nodes would change something, and how many are not known.
struct PlanCounts {
  size_t changing = 0;
  size_t unknown = 0;
};
PlanCounts CountPlans(const v1::GetPlansResponse& plans);

}  // namespace connect_ha
