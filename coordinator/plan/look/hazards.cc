#include "coordinator/plan/look/hazards.h"

#include <algorithm>
#include <chrono>

#include "common/checklist/lesser_faults.h"
#include "common/checklist/rule.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/hysteresis.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/look/unclear.h"

namespace connect_ha {
namespace {

// A Connect that is started answers within that time, or something is wrong with it.
constexpr std::chrono::minutes kStarting{2};
// Within that everything that is asked at intervals has been asked anew, and judged.
constexpr std::chrono::minutes kLookedAtAnew{1};

// Its agent says that Connect was started, or was so before it was closed; who is told to serve has
// a while to answer.
bool HadTimeToStart(const Situation& situation, const Member& member) {
  if (member.position == v1::DRAINING) return true;
  if (member.tries_again) return false;
  return HasReached(member, v1::SERVING) &&
         situation.moments.Lasted(FromProto(member.memory.since()), kStarting);
}

// The load balancer asks Connect itself, and sends users to whoever answers: that a node is told to
// drain would only have it counted as out of service. One that does not answer is.
bool ClosesNothing(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  const v1::RuleAction action = ActionOf(situation, member, line.rule());
  const bool is_down = line.rule() == kServiceRule && !member.node->brief().facts().answers();
  return action < v1::FENCE && AsksConnect(situation.input.spec()) && !is_down;
}

// All nodes go over to a generation, and no gate is open yet: those that rest are as before, and
// see another database, say, than who was changed.
bool IsAllInBetween(const v1::Rollout& rollout) {
  return rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at() &&
         !rollout.has_opened_at() && !rollout.has_ended_at();
}

// Why the failing does nothing to this node; "": it does.
std::string WhyNot(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  if (member.position == v1::OBSERVED || IsYetObserved(member)) {
    return "the node is only observed";
  }
  if (line.rule() == kServiceRule && !HadTimeToStart(situation, member)) {
    return "Connect is not to run here, or is being started";
  }
  if (ClosesNothing(situation, member, line)) {
    return "the load balancer asks Connect itself: it keeps a node from entering service, no more";
  }
  if (line.basis() == v1::PROOF && IsAllInBetween(situation.input.memory().rollout())) {
    return "all nodes go over to this generation, and differ until their gates open";
  }
  return WhyNotSure(situation, member, line);
}

}  // namespace

bool IsJustMade(const Situation& situation, const Member& member) {
  return member.memory.has_reached_at() &&
         !situation.moments.Lasted(FromProto(member.memory.reached_at()), kLookedAtAnew);
}

const v1::NodeRule* LineOf(const v1::PlanNode& node, const std::string& rule) {
  for (const v1::NodeRule& line : node.rules()) {
    if (line.rule() == rule) return &line;
  }
  return nullptr;
}

bool Holds(const v1::NodeRule& line) {
  return line.outcome() == v1::PASS || line.outcome() == v1::NOT_APPLICABLE;
}

bool Fails(const v1::NodeRule& line) {
  const Rule* row = FindRule(line.rule());
  return line.outcome() == v1::FAIL && row != nullptr && !OnlyTells(*row, line.rule_class());
}

bool DoesNothing(const v1::NodeRule& line) {
  return Holds(line) || (line.outcome() == v1::FAIL && !Fails(line));
}

std::vector<v1::Hazard> HazardsOf(Situation& situation, const Member& member) {
  std::vector<v1::Hazard> hazards;
  if (!member.stays.empty()) return hazards;
  for (const v1::NodeRule& line : member.node->rules()) {
    const v1::RuleAction action = ActionOf(situation, member, line.rule());
    if (!Fails(line) || action <= v1::TELL) continue;
    v1::Hazard& hazard = hazards.emplace_back();
    hazard.set_rule(line.rule());
    hazard.set_node(member.name());
    hazard.set_action(action);
    hazard.set_basis(line.basis());
    *hazard.mutable_since() = line.since();
    hazard.set_text(line.text());
    hazard.set_undecided(IsUnclear(situation, member, line));
    hazard.set_why_not(WhyNot(situation, member, line));
    hazard.set_acts(hazard.why_not().empty());
  }
  std::sort(hazards.begin(), hazards.end(),
            [](const v1::Hazard& a, const v1::Hazard& b) { return a.rule() < b.rule(); });
  return hazards;
}

bool KeepsFromEntering(const Situation& situation, const Member& member, const v1::Hazard& hazard) {
  if (hazard.acts()) return true;
  const v1::NodeRule* line = LineOf(*member.node, hazard.rule());
  return member.position != v1::OBSERVED && hazard.rule() != kServiceRule && line != nullptr &&
         ClosesNothing(situation, member, *line) && WhyNotSure(situation, member, *line).empty();
}

bool IsOutForServiceAlone(const Member& member) {
  return member.position == v1::DRAINING && member.memory.out_for_size() == 1 &&
         member.memory.out_for(0) == kServiceRule;
}

bool IsOver(Situation& situation, const Member& member, const std::string& rule) {
  if (ActionOf(situation, member, rule) <= v1::TELL) return true;
  const v1::NodeRule* line = LineOf(*member.node, rule);
  if (rule != kServiceRule && line != nullptr && Fails(*line) &&
      ClosesNothing(situation, member, *line)) {
    return true;
  }
  if (line == nullptr || !DoesNothing(*line)) return false;
  return situation.moments.Lasted(FromProto(line->since()),
                                  PassAfter(situation.input.spec(), rule));
}

}  // namespace connect_ha
