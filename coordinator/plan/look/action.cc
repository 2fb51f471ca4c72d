#include "coordinator/plan/look/action.h"

#include <algorithm>

#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

bool Runs(const Member& member) {
  return member.node->fresh() && member.node->connect() == v1::CONNECT_RUNS &&
         !member.node->running_version().empty();
}

bool TwoVersionsRun(const Situation& situation, const Member& member) {
  if (!Runs(member)) return false;
  return std::any_of(
      situation.members.begin(), situation.members.end(), [&member](const Member& other) {
        return Runs(other) && other.node->running_version() != member.node->running_version();
      });
}

v1::RuleAction TableAction(const std::string& rule) {
  const Rule* row = FindRule(rule);
  return row == nullptr ? v1::TELL : row->action;
}

bool IsWaived(const std::vector<const v1::Word*>& waivers, const std::string& rule,
              const std::string& node) {
  for (const v1::Word* word : waivers) {
    if (word->rule() == rule && (word->node().empty() || word->node() == node)) return true;
  }
  return false;
}

}  // namespace

v1::RuleAction ActionBySpec(const v1::ClusterSpec& spec, const std::string& rule) {
  const v1::RuleAction by_table = TableAction(rule);
  const auto said = spec.rules().find(rule);
  if (by_table == v1::FENCE || said == spec.rules().end() || !said->second.has_action()) {
    return by_table;
  }
  return said->second.action() == v1::RULE_ACTION_UNSPECIFIED ? by_table : said->second.action();
}

v1::RuleAction ActionOf(const Situation& situation, const Member& member, const std::string& rule) {
  if (IsWaived(situation.words.waivers, rule, member.name())) return v1::TELL;
  v1::RuleAction action = ActionBySpec(situation.input.spec(), rule);
  if (rule == kVersionRule && action == v1::FENCE && !TwoVersionsRun(situation, member)) {
    action = v1::HOLD;
  }
  if (action == v1::FENCE && member.words.unfence != nullptr) action = v1::TELL;
  return action;
}

}  // namespace connect_ha
