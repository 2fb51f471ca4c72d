#include "coordinator/plan/judged.h"

#include <algorithm>
#include <map>

#include "common/time.h"

namespace connect_ha {
namespace {

bool ServedBefore(const v1::PlanInput& input, const Judged& judged) {
  const v1::PlanNode& node = *judged.node;
  const v1::NodeBrief& brief = node.brief();
  const bool known = node.heard() && node.fresh() && !brief.lost() && brief.claimants() <= 1 &&
                     !node.odd() && !node.ahead();
  const bool by_connect =
      input.spec().load_balancer().health_check() == v1::LoadBalancerSpec::CONNECT;
  const bool open = by_connect || node.gate() != v1::GATE_CLOSED;
  const bool told =
      !HasOrder(judged.before.order()) || (judged.before.state() == brief.reported_state() &&
                                           !IsAfter(judged.before.order(), node.obeys()) &&
                                           !IsAfter(node.obeys(), judged.before.order()));
  const bool rests = node.connect() == v1::CONNECT_RESTS;
  return known && open && told && !rests && !judged.before.closed() && brief.facts().answers() &&
         TakesUsers(brief.reported_state());
}

}  // namespace

bool Judged::leaves() const { return served && !TakesUsers(given.state()); }

bool HasOrder(const v1::Order& order) { return order.epoch() != 0 || order.serial() != 0; }

bool IsAfter(const v1::Order& a, const v1::Order& b) {
  return a.epoch() != b.epoch() ? a.epoch() > b.epoch() : a.serial() > b.serial();
}

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

const v1::Word* WordOn(const v1::PlanInput& input, const std::string& node, v1::Word::Kind kind) {
  const v1::Word* latest = nullptr;
  for (const v1::Word& word : input.words()) {
    const bool over = word.has_until() && FromProto(word.until()) <= FromProto(input.now());
    if (word.kind() != kind || word.node() != node || over) continue;
    if (latest == nullptr || latest->number() < word.number()) latest = &word;
  }
  return latest;
}

bool HasDowntime(const v1::PlanInput& input, const Judged& judged) {
  if (IsAllStopUnderWay(input)) return true;
  const v1::Word* approval = WordOnAll(input, v1::Word::APPROVE, input.generation());
  const bool approved = approval != nullptr && approval->downtime();
  if (approved && IsToBeChanged(input, *judged.node)) return true;
  for (const auto kind : {v1::Word::FENCE, v1::Word::STOP, v1::Word::DRAIN}) {
    const v1::Word* word = WordOn(input, judged.name(), kind);
    if (word != nullptr && word->downtime()) return true;
  }
  return false;
}

bool NobodyElseServes(const Judged& judged, const std::vector<Judged>& nodes) {
  return std::none_of(nodes.begin(), nodes.end(),
                      [&judged](const Judged& other) { return &other != &judged && other.served; });
}

bool IsWanted(const v1::PlanInput& input, const Judged& judged) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::STOP, v1::Word::DRAIN, v1::Word::RELEASE}) {
    if (WordOn(input, judged.name(), kind) != nullptr) return true;
  }
  return judged.node->notices_size() > 0;
}

bool Begins(const Judged& judged) {
  return judged.moved && judged.given.state() == v1::SERVING &&
         judged.before.state() != v1::SERVING &&
         judged.node->brief().reported_state() != v1::SERVING &&
         judged.node->connect() == v1::CONNECT_RESTS;
}

const v1::NodeRule* RuleOn(const v1::PlanNode& node, const std::string& rule) {
  for (const v1::NodeRule& line : node.rules()) {
    if (line.rule() == rule) return &line;
  }
  return nullptr;
}

bool GatherJudged(const v1::PlanInput& input, const v1::Decision& decision,
                  std::vector<Judged>& nodes) {
  if (decision.assignments_size() != input.nodes_size()) return false;
  if (decision.remember().nodes_size() != input.nodes_size()) return false;
  std::map<std::string, const v1::NodeMemory*> before;
  for (const v1::NodeMemory& memory : input.memory().nodes()) before[memory.node()] = &memory;
  for (int i = 0; i < input.nodes_size(); ++i) {
    Judged& judged = nodes.emplace_back();
    judged.node = &input.nodes(i);
    judged.given = decision.assignments(i);
    judged.after = decision.remember().nodes(i);
    if (judged.given.node() != judged.name() || judged.after.node() != judged.name()) return false;
    const auto found = before.find(judged.name());
    if (found != before.end()) judged.before = *found->second;
    judged.moved = HasOrder(judged.given.order()) &&
                   IsAfter(judged.given.order(), judged.before.order()) &&
                   IsAfter(judged.given.order(), judged.node->obeys());
    judged.served = ServedBefore(input, judged);
  }
  return true;
}

}  // namespace connect_ha
