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
bool IsOut(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  const v1::NodeState reported = node.brief().reported_state();
  if (!IsHeard(node)) return false;
  if (reported != v1::NODE_STATE_UNSPECIFIED && !TakesTraffic(reported)) return true;
  const bool by_rule = std::any_of(
      member.hazards.begin(), member.hazards.end(),
      [](const v1::Hazard& hazard) { return hazard.acts() && hazard.action() >= v1::CLOSE; });
  return IsDown(situation, member) || (by_rule && GateIsClosed(situation.input, node));
}

// It is not known that it does not, for longer than a moment.
bool MayServe(const Situation& situation, const Member& member) {
  const v1::NodeBrief& brief = member.node->brief();
  return !brief.lost() && brief.has_last_seen() && !IsGone(member) && !IsOut(situation, member);
}

bool IsHeld(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::STOPPED ||
         state == v1::FENCED;
}

// Of one that was not heard since the coordinator's start it is not known that it has none.
bool MayHaveConnect(const v1::PlanNode& node) {
  return !node.heard() || !node.installed_version().empty();
}

// It was told to keep Connect stopped. Until its agent says that it does, a boot may start Connect,
// or the agent by what it was told before.
bool MayStartYet(const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!IsHeld(member.position) || !MayHaveConnect(node)) return false;
  // Of one that was not heard since the coordinator's start nothing is known to be taken.
  const bool on_its_way = IsLater(member.memory.order(), node.obeys());
  const v1::NodeState reported = node.brief().reported_state();
  return on_its_way || (reported != v1::NODE_STATE_UNSPECIFIED && !IsHeld(reported));
}

// Nobody holds Connect there: a boot, or whoever stopped it for a moment, starts it again.
bool MayComeBack(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (member.position != v1::OBSERVED || !MayHaveConnect(node)) return false;
  if (!node.fresh()) return true;
  return node.connect() == v1::CONNECT_RESTS && !RestsForLong(situation, member);
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
  // It is looked at first, whomever the load balancer asks.
  if (member.memory.closed()) return false;
  if (node.connect() == v1::CONNECT_RESTS) return false;
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) return false;
  if (!TakesTraffic(node.brief().reported_state())) return false;
  if (node.brief().reported_state() != member.position) return false;
  // An order that it has not taken, or that this store has not given, may be another state.
  return !IsLater(member.memory.order(), node.obeys()) &&
         !IsLater(node.obeys(), member.memory.order());
}

bool IsGone(const Member& member) { return member.words.gone != nullptr && !member.node->fresh(); }

bool MayRunConnect(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (IsGone(member)) return false;
  if (!node.brief().has_last_seen()) return true;  // enrolled, and never heard
  if (member.position == v1::SERVING || member.position == v1::DRAINING) return true;
  if (MayStartYet(member) || MayComeBack(situation, member)) return true;
  if (node.fresh()) return node.connect() != v1::CONNECT_RESTS;
  return !node.running_version().empty();
}

bool AnotherServes(const Situation& situation, const Member& member) {
  return std::any_of(situation.members.begin(), situation.members.end(),
                     [&member](const Member& other) { return &other != &member && other.serves; });
}

bool IsDown(const Situation& situation, const Member& member) {
  const v1::FactsBrief& facts = member.node->brief().facts();
  const bool silent =
      member.node->connect() == v1::CONNECT_RESTS || (facts.has_answers() && !facts.answers());
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  if (!silent || line == nullptr || !Fails(*line)) return false;
  return situation.moments.Lasted(FromProto(line->since()),
                                  FailAfter(situation.input.spec(), kServiceRule));
}

bool RestsForLong(const Situation& situation, const Member& member) {
  if (member.node->brief().facts().unit_state().empty()) return true;
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  const bool is_asked =
      line != nullptr && line->outcome() != v1::FOLLOWS && line->outcome() != v1::NOT_APPLICABLE;
  return !is_asked || IsDown(situation, member);
}

size_t OthersThatMayServe(const Situation& situation, const Member& member) {
  const auto& members = situation.members;
  return static_cast<size_t>(
      std::count_if(members.begin(), members.end(), [&situation, &member](const Member& other) {
        return &other != &member && MayServe(situation, other);
      }));
}

bool IsAlone(const Situation& situation, const Member& member) {
  return std::none_of(situation.members.begin(), situation.members.end(),
                      [&situation, &member](const Member& other) {
                        return &other != &member && MayServe(situation, other);
                      });
}

size_t MinimumServing(const v1::ClusterSpec& spec) {
  const size_t said = spec.nodes().has_minimum_serving() ? spec.nodes().minimum_serving() : 1;
  return std::max<size_t>(said, 1);
}

}  // namespace connect_ha
