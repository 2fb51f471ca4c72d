// What a node is told of its gate beside what it is to be. As of HeartbeatResponse.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace connect_ha {

struct GateTerms {
  std::optional<bool> no_other_serves;    // unset: not known now, and left as it was told last
  std::vector<std::string> waived_rules;  // sorted

  bool operator==(const GateTerms&) const = default;
};

}  // namespace connect_ha
