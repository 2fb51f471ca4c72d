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
  // The path as the node spells it, where that is another than what it is found by.
  std::string name = {};
  // What is compared, where that is not `value`.
  std::string compared = {};
  // Made with the node's digest key.
  bool is_digest = false;

  const std::string& Compared() const { return compared.empty() ? value : compared; }
};

// By path: "connect.package.version", "configuration.applications.runas".
using Traits = std::map<std::string, Trait>;

Traits TraitsOf(const v1::NodeSnapshot& node);

}  // namespace connect_ha
