// What the checklist says of each node, as the plan looks at it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/roster.h"

namespace connect_ha {

// One input after the other. Not for use by two threads at once.
class PlanRules {
 public:
  // Adds to each node a line of every rule that does more than to tell, by the table or by the
  // specification in the input: the worst that the checklist says of it. Unknown, where the
  // checklist is older than what the node reported (`judged`: of Evaluator), or says nothing.
  // `looks` are of the input's nodes, in their order.
  void Add(const v1::Checklist& checklist, uint64_t judged, const std::vector<PlanLook>& looks,
           Time now, v1::PlanInput* input);

 private:
  using Key = std::pair<std::string, std::string>;  // rule, node

  void AddLine(const std::string& rule, const v1::Finding& finding, const v1::Evidence* line,
               const v1::Evidence* of_the_rest, Time now, v1::PlanNode* node);
  void Forget(Time now);

  // Of many nodes that are right a checklist gives the number only, not since when each is.
  Time began_{};
  std::map<Key, Time> wrong_at_;  // the latest time at which it was not right
};

}  // namespace connect_ha
