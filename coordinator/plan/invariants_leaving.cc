// Who is taken out of service.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool IsKnownToHold(const v1::PlanNode& node, const std::string& rule) {
  const v1::NodeRule* line = RuleOn(node, rule);
  return line != nullptr && (line->outcome() == v1::PASS || line->outcome() == v1::NOT_APPLICABLE);
}

bool StillServes(const Judged& judged) { return judged.served && TakesUsers(judged.given.state()); }

bool IsWanted(const v1::PlanInput& input, const Judged& judged) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::STOP, v1::Word::DRAIN, v1::Word::RELEASE}) {
    if (WordOn(input, judged.name(), kind) != nullptr) return true;
  }
  return judged.node->notices_size() > 0;
}

// It was closed while others served, and is about to be stopped for good.
bool StopsLastConnect(const v1::PlanInput& input, const Judged& judged,
                      const std::vector<Judged>& nodes) {
  const v1::NodeBrief& brief = judged.node->brief();
  const bool drains =
      judged.before.state() == v1::DRAINING && brief.reported_state() == v1::DRAINING;
  const bool runs = judged.node->connect() != v1::CONNECT_RESTS && brief.facts().answers();
  const bool stops = !TakesUsers(judged.given.state()) && judged.given.state() != v1::DRAINING;
  return judged.moved && drains && runs && stops && !HasDowntime(input, judged) &&
         NobodyElseServes(judged, nodes);
}

bool SomebodyElseHolds(const Judged& judged, const std::string& rule,
                       const std::vector<Judged>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const Judged& other) {
    return &other != &judged && other.served && IsKnownToHold(*other.node, rule);
  });
}

}  // namespace

void JudgeLeaving(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                  Complaints& broken) {
  const auto left = std::count_if(nodes.begin(), nodes.end(), StillServes);
  bool downtime = false;
  for (const Judged& judged : nodes) downtime |= judged.leaves() && HasDowntime(input, judged);
  for (const Judged& judged : nodes) {
    if (StopsLastConnect(input, judged, nodes)) {
      broken.push_back(absl::StrCat("Connect is stopped on ", judged.name(),
                                    ", and no other node is known to serve"));
    }
    if (!judged.moved || !judged.leaves()) continue;
    if (left == 0 && !downtime) {
      broken.push_back("the last node that serves is taken out of service");
    }
    if (judged.node->brief().reported_state() == v1::OBSERVED && !IsWanted(input, judged)) {
      broken.push_back(absl::StrCat(judged.name(), " is observed, and taken out by no person"));
    }
    const bool by_rule = judged.after.out_for_size() > 0;
    if (!by_rule && !IsWanted(input, judged) && judged.node->start_failed().empty()) {
      broken.push_back(absl::StrCat(judged.name(), " is taken out of service for no reason"));
    }
    for (const std::string& rule : judged.after.out_for()) {
      if (!IsWanted(input, judged) && !SomebodyElseHolds(judged, rule, nodes) && !downtime) {
        broken.push_back(absl::StrCat(judged.name(), " leaves for ", rule,
                                      ", and no node that serves is known to be without it"));
      }
    }
  }
}

}  // namespace connect_ha
