#include "coordinator/plan/look/serving.h"

#include <algorithm>

#include "coordinator/plan/look/action.h"
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

// What may corrupt data is known not to be so. What is less grave than its rule does not.
bool IsHarmless(const Situation& situation, const Member& member) {
  const auto& rules = member.node->rules();
  return std::all_of(rules.begin(), rules.end(), [&](const v1::NodeRule& line) {
    const bool only_tells = line.outcome() == v1::FAIL && !Fails(line);
    return Holds(line) || only_tells || ActionOf(situation, member, line.rule()) != v1::FENCE;
  });
}

}  // namespace

bool AsksConnect(const v1::ClusterSpec& spec) {
  return spec.load_balancer().health_check() == v1::LoadBalancerSpec::CONNECT;
}

bool GateIsClosed(const v1::PlanInput& input, const v1::PlanNode& node) {
  return !AsksConnect(input.spec()) && node.gate() == v1::GATE_CLOSED;
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

bool RestsForLong(Situation& situation, const Member& member) {
  if (member.node->brief().facts().unit_state().empty()) return true;
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  const bool is_asked =
      line != nullptr && line->outcome() != v1::FOLLOWS && line->outcome() != v1::NOT_APPLICABLE;
  return !is_asked || IsDown(situation, member);
}

bool IsAlone(Situation& situation, const Member& member) {
  return std::all_of(situation.members.begin(), situation.members.end(),
                     [&situation, &member](const Member& other) {
                       const v1::NodeBrief& brief = other.node->brief();
                       return &other == &member || brief.lost() || !brief.has_last_seen() ||
                              IsGone(other) || IsOut(situation, other);
                     });
}

bool IsNeededBack(Situation& situation, const Member& member) {
  const NodeWords& words = member.words;
  if (words.fence != nullptr || words.cordon != nullptr || MayBeDowntime(words)) return false;
  const v1::FactsBrief& facts = member.node->brief().facts();
  const bool mounted =
      facts.has_mount_verified() ? facts.mount_verified() : !situation.input.spec().has_storage();
  return mounted && facts.has_answers() && facts.answers() && IsHarmless(situation, member) &&
         IsAlone(situation, member);
}

size_t MinimumServing(const v1::ClusterSpec& spec) {
  const size_t said = spec.nodes().has_minimum_serving() ? spec.nodes().minimum_serving() : 1;
  return std::max<size_t>(said, 1);
}

}  // namespace connect_ha
