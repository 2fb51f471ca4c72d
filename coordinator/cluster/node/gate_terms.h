// What a node is told of its gate beside what it is to be. As of HeartbeatResponse.
#pragma once

#include <string>
#include <vector>

namespace connect_ha {

struct GateTerms {
  bool no_other_serves = false;
  std::vector<std::string> waived_rules;  // sorted

  bool operator==(const GateTerms&) const = default;
};

}  // namespace connect_ha
