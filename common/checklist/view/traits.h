// What a node has that its peers should have too, in words.
#pragma once

#include <map>
#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

struct Trait {
  std::string value;
  const char* rule;  // that a difference breaks; "" for none
  bool known = true;
  // Where the other node has no such trait: what holds there. Null: it is absent.
  const char* otherwise = nullptr;
};

// By path: "connect.package.version", "configuration.Applications.RunAs".
using Traits = std::map<std::string, Trait>;

Traits TraitsOf(const v1::NodeSnapshot& node);

}  // namespace connect_ha
