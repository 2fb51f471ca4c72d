// What a node is told of its gate beside what it is to be. As of HeartbeatResponse.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/time.h"

namespace connect_ha {

struct GateTerms {
  std::optional<bool> no_other_serves;  // unset: not known now, and left as it was told last
  // By rule, with WaivedRule.until.
  std::map<std::string, std::optional<Time>> waived;

  bool operator==(const GateTerms&) const = default;
};

}  // namespace connect_ha
