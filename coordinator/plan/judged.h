// A decision as the invariants look at it: by its own means, apart from what made it.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// One node before and after.
struct Judged {
  const v1::PlanNode* node = nullptr;
  v1::NodeMemory before;  // empty: not remembered
  v1::NodeMemory after;
  v1::NodeAssignment given;
  // It is given an order that it did not have.
  bool moved = false;
  bool served = false;  // as it reports, by what it obeys

  const std::string& name() const { return node->brief().name(); }
  bool leaves() const;  // it served, and is told to be something else
};

using Complaints = std::vector<std::string>;

// One for each node, in the input's order; false: they are not one for each node.
bool GatherJudged(const v1::PlanInput& input, const v1::Decision& decision,
                  std::vector<Judged>& nodes);

// Each looks at one subject, in a file of its own: invariants_*.cc.
void JudgeLeaving(const v1::PlanInput& input, const std::vector<Judged>& nodes, Complaints& broken);
void JudgeFences(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken);
void JudgeEntering(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                   Complaints& broken);

bool HasOrder(const v1::Order& order);
bool IsAfter(const v1::Order& a, const v1::Order& b);
// The latest word of this kind on the node that has not ended; null: none.
const v1::Word* WordOn(const v1::PlanInput& input, const std::string& node, v1::Word::Kind kind);
// A person said so of a word that takes the node out.
bool HasDowntime(const v1::PlanInput& input, const Judged& judged);
bool NobodyElseServes(const Judged& judged, const std::vector<Judged>& nodes);
bool TakesUsers(v1::NodeState state);
// Null: nothing is said of it.
const v1::NodeRule* RuleOn(const v1::PlanNode& node, const std::string& rule);

}  // namespace connect_ha
