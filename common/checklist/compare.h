// The same thing as several nodes have it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/checklist/verdict.h"

namespace connect_ha {

struct Seen {
  const v1::NodeSnapshot* node;
  std::string value;
  // The value is made with the key of node->digest_key_id(): where two of them differ that were
  // made with two keys, nothing is known.
  bool is_digest = false;
};

// What to do on the node of `one` for it to have the value of `right`; the node of `right` is null
// when the specification says so.
using FixFor = std::function<Fixes(const Seen& one, const Seen& right)>;

struct Comparison {
  // Comes before the value in every line: "R 4.3.3, build".
  std::string what;
  std::optional<std::string> wanted;  // by the specification
  FixFor fix;                         // none: the rule's own
  // Where nobody can tell who is right: what would decide it, as a note. It says no more than
  // where to look or what to write into the specification.
  std::string decide;
};

// Judges each node by `wanted` (basis SPEC). Where nothing is wanted, by the nodes that serve, if
// these agree; else by what more than half of three or more nodes have (basis PEERS). Else nobody
// can say who is right: all of them fail as undecided, and no fix changes any of them. Of digests
// that differ, those with the commonest key are compared, and of nodes that do not say which key
// they have only where no node does; the nodes with another one are unknown.
void Compare(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison);
// As Compare without a wanted value, but silent when all agree. True when they do.
bool Agree(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison);

}  // namespace connect_ha
