// Who is taken out of service, by whom, and who would be but may not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

struct Leave {
  v1::NodeState to = v1::DRAINING;  // FENCED, DRAINING, STOPPED, PREPARING, READY
  std::string reason;
  // Those that took it out, where rules did; it comes back when they are over.
  std::vector<std::string> rules;
  bool fenced_by_rule = false;
  bool start_failed = false;
};

struct Leaving {
  std::optional<Leave> leave;
  // Why it does not leave, though something asks for it; "": nothing does.
  std::string kept;
  // What it waits for that is to be changed; "": nothing is, or its turn has come.
  std::string waits;
};

// For each member. The graver come first, then those that wait longer; each counts on those that
// are left.
std::vector<Leaving> WhoLeaves(Situation& situation, const Change& change);

}  // namespace connect_ha
