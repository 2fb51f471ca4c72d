// Outcomes that rest on values which change from one look to the next turn only once they have
// been other ones for a while: one slow answer is no failure, and one good answer no recovery from
// one. What was not known, and passes once it is, has nothing to recover from.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// How long a node must show another outcome of this rule before it counts; zero for most rules.
std::chrono::seconds HoldTime(const std::string& rule);

class Hold {
 public:
  // Puts back what `before`, as this left it, said of a node, where the node has not shown
  // something else for long enough. The line's text tells that. What follows from a rule that is
  // held on a node is held there as well. What is new, or followed another rule before or does
  // now, is not held. One checklist after the other.
  void Apply(const v1::Checklist& before, Time now, v1::Checklist* checklist);

 private:
  using Lines = std::vector<v1::Evidence>;
  struct Turning {
    Time since;
    Lines shown;  // as they were before that
  };
  using Key = std::pair<std::string, std::string>;  // rule, node

  void HoldTurning(const v1::Finding& earlier, Time now, std::set<Key>& held, v1::Finding* finding);
  static void HoldWhatFollows(const v1::Finding& earlier, const std::set<Key>& held,
                              v1::Finding* finding);
  bool HoldsBack(const v1::Finding& finding, const std::string& node, const Lines& shown,
                 const Lines& lines, Time now);

  std::map<Key, Turning> turning_;
};

}  // namespace connect_ha
