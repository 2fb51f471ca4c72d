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
void JudgeChange(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken);
void JudgeBegin(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken);
void JudgeStarts(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken);
void JudgeMigrating(const v1::PlanInput& input, const v1::Decision& decision,
                    const std::vector<Judged>& nodes, Complaints& broken);
void JudgeTurns(const v1::PlanInput& input, const v1::Decision& decision,
                const std::vector<Judged>& nodes, Complaints& broken);

// A change for which all nodes stop is remembered, and its gates are not open again.
bool IsAllStopUnderWay(const v1::PlanInput& input);
// It differs from the generation in force by what takes a restart of Connect.
bool IsToBeChanged(const v1::PlanInput& input, const v1::PlanNode& node);
// It runs what is older than what the database is remembered to have known, or as a generation that
// all others have left together.
bool RunsOlder(const v1::PlanInput& input, const v1::PlanNode& node);
// The change that is under way was to change it when it began.
bool IsListed(const v1::PlanInput& input, const std::string& node);
// The latest on the whole cluster; of APPROVE and ABORT of this generation. Null: none.
const v1::Word* WordOnAll(const v1::PlanInput& input, v1::Word::Kind kind, uint64_t generation);
bool IsWindowOpen(const v1::PlanInput& input);
// An approval that need not wait for a window.
bool HoldsNow(const v1::PlanInput& input, const v1::Word& approval);
// The backup that this specification asks for was made for this generation; or it asks for none.
bool IsBackedUp(const v1::PlanInput& input, const v1::ClusterSpec& spec, uint64_t generation);
// A person takes it out, or EC2 takes its machine.
bool IsWanted(const v1::PlanInput& input, const Judged& judged);
// It is told to start Connect, which rests.
bool Begins(const Judged& judged);

bool HasOrder(const v1::Order& order);
bool IsAfter(const v1::Order& a, const v1::Order& b);
// The latest word of this kind on the node that has not ended; null: none.
const v1::Word* WordOn(const v1::PlanInput& input, const std::string& node, v1::Word::Kind kind);
// A person said so of a word that takes the node out, or approved of it for the change that does.
bool HasDowntime(const v1::PlanInput& input, const Judged& judged);
bool NobodyElseServes(const Judged& judged, const std::vector<Judged>& nodes);
bool TakesUsers(v1::NodeState state);
// Null: nothing is said of it.
const v1::NodeRule* RuleOn(const v1::PlanNode& node, const std::string& rule);

}  // namespace connect_ha
