// For what rules a node is out of service.
#include <set>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/move/drain.h"

namespace connect_ha {
namespace {

// A Connect that answers may only not be enabled, as one that was never told to serve: that is put
// right once it serves.
bool IsRightOnceItServes(const Member& member, const std::string& rule) {
  return rule == kServiceRule && member.position == v1::DRAINING &&
         member.node->brief().facts().answers();
}

}  // namespace

std::vector<std::string> StillOutFor(Situation& situation, const Member& member) {
  std::set<std::string> rules;
  for (const std::string& rule : member.memory.out_for()) {
    if (!IsOver(situation, member, rule)) rules.insert(rule);
  }
  // Of a node that is fenced, what else is wrong with it keeps it from entering service, not here.
  const v1::RuleAction least = member.position == v1::FENCED ? v1::FENCE : v1::HOLD;
  for (const v1::Hazard& hazard : member.hazards) {
    if (IsRightOnceItServes(member, hazard.rule())) continue;
    if (hazard.acts() && hazard.action() >= least) rules.insert(hazard.rule());
  }
  return {rules.begin(), rules.end()};
}

std::string OutText(const Member& member, const std::vector<std::string>& out_for) {
  const v1::NodeRule* line = LineOf(*member.node, out_for.front());
  return absl::StrCat(out_for.front(), line == nullptr || line->text().empty() ? "" : ": ",
                      line == nullptr ? "" : line->text());
}

}  // namespace connect_ha
