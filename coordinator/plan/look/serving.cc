#include "coordinator/plan/look/serving.h"

#include <algorithm>

#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/hysteresis.h"

namespace connect_ha {
namespace {

bool IsHeard(const v1::PlanNode& node) {
  return node.heard() && node.fresh() && !node.brief().lost() && node.brief().claimants() <= 1;
}

bool TakesTraffic(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

// Users do not reach it, as it says itself. What is not known is not known to be so.
bool IsOut(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  const v1::NodeState reported = node.brief().reported_state();
  if (!IsHeard(node)) return false;
  if (reported != v1::NODE_STATE_UNSPECIFIED && !TakesTraffic(reported)) return true;
  const bool by_rule = std::any_of(
      member.hazards.begin(), member.hazards.end(),
      [](const v1::Hazard& hazard) { return hazard.acts() && hazard.action() >= v1::CLOSE; });
  return IsDown(situation, member) || (by_rule && GateIsClosed(situation.input, node));
}

}  // namespace

bool GateIsClosed(const v1::PlanInput& input, const v1::PlanNode& node) {
  const bool asked = input.spec().load_balancer().health_check() != v1::LoadBalancerSpec::CONNECT;
  return asked && node.gate() == v1::GATE_CLOSED;
}

bool IsServing(const v1::PlanInput& input, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!IsHeard(node) || node.odd() || node.ahead() || GateIsClosed(input, node)) return false;
  if (node.connect() == v1::CONNECT_RESTS) return false;
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) return false;
  if (!TakesTraffic(node.brief().reported_state())) return false;
  if (node.brief().reported_state() != member.position) return false;
  // An order that it has not taken, or that this store has not given, may be another state.
  return !IsLater(member.memory.order(), node.obeys()) &&
         !IsLater(node.obeys(), member.memory.order());
}

bool IsGone(const Member& member) { return member.words.gone != nullptr && !member.node->fresh(); }

bool AnotherServes(const Situation& situation, const Member& member) {
  return std::any_of(situation.members.begin(), situation.members.end(),
                     [&member](const Member& other) { return &other != &member && other.serves; });
}

bool IsDown(Situation& situation, const Member& member) {
  const v1::FactsBrief& facts = member.node->brief().facts();
  const bool silent =
      member.node->connect() == v1::CONNECT_RESTS || (facts.has_answers() && !facts.answers());
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  if (!silent || line == nullptr || !Fails(*line)) return false;
  return situation.moments.Lasted(FromProto(line->since()),
                                  FailAfter(situation.input.spec(), kServiceRule));
}

bool IsAlone(Situation& situation, const Member& member) {
  return std::all_of(situation.members.begin(), situation.members.end(),
                     [&situation, &member](const Member& other) {
                       const v1::NodeBrief& brief = other.node->brief();
                       return &other == &member || brief.lost() || !brief.has_last_seen() ||
                              IsGone(other) || IsOut(situation, other);
                     });
}

size_t MinimumServing(const v1::ClusterSpec& spec) {
  const size_t said = spec.nodes().has_minimum_serving() ? spec.nodes().minimum_serving() : 1;
  return std::max<size_t>(said, 1);
}

}  // namespace connect_ha
