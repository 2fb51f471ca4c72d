// Where a node goes that nothing takes out of service: one step from where it is.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

struct Move {
  v1::NodeState state = v1::OBSERVED;
  std::string reason;
  std::string waits_for;
  std::vector<std::string> out_for;  // as of NodeMemory
  bool closed = false;               // of SERVING, as of NodeAssignment
};

// Of a node that may be moved.
Move CourseOf(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
