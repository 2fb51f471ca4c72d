// Who is taken out of service.
#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool IsKnownToHold(const v1::PlanNode& node, const std::string& rule) {
  const v1::NodeRule* line = RuleOn(node, rule);
  return line != nullptr && (line->outcome() == v1::PASS || line->outcome() == v1::NOT_APPLICABLE);
}

bool StillServes(const Judged& judged) { return judged.served && TakesUsers(judged.given.state()); }

// For what differs there, or what the others go on to.
bool IsChanged(const v1::PlanInput& input, const Judged& judged) {
  return IsAllStopUnderWay(input) || IsToBeChanged(input, *judged.node) ||
         RunsOlder(input, *judged.node);
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

size_t MinimumServing(const v1::PlanInput& input) {
  const v1::NodesSpec& spec = input.spec().nodes();
  return spec.has_minimum_serving() && spec.minimum_serving() > 1 ? spec.minimum_serving() : 1;
}

bool OnlyHolds(const v1::PlanInput& input, const std::string& rule) {
  const Rule* row = FindRule(rule);
  const auto said = input.spec().rules().find(rule);
  const bool by_spec = said != input.spec().rules().end() && said->second.has_action();
  return row != nullptr && row->action == v1::HOLD &&
         (!by_spec || said->second.action() == v1::HOLD);
}

// What takes it out must leave minimum_serving: people, a recommendation of EC2's, what only holds,
// a change.
bool LeavesEnough(const v1::PlanInput& input, const Judged& judged) {
  const auto& notices = judged.node->notices();
  const bool goes = std::any_of(notices.begin(), notices.end(), [](const auto& notice) {
    return notice.kind() == v1::InstanceNotice::SPOT_INTERRUPTION ||
           notice.kind() == v1::InstanceNotice::TERMINATING;
  });
  const auto& rules = judged.after.out_for();
  return !goes && judged.node->start_failed().empty() && !RunsOlder(input, *judged.node) &&
         std::all_of(rules.begin(), rules.end(),
                     [&input](const std::string& rule) { return OnlyHolds(input, rule); });
}

}  // namespace

void JudgeLeaving(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                  Complaints& broken) {
  const auto left = static_cast<size_t>(std::count_if(nodes.begin(), nodes.end(), StillServes));
  const size_t minimum = MinimumServing(input);
  for (const Judged& judged : nodes) {
    if (StopsLastConnect(input, judged, nodes)) {
      broken.push_back(absl::StrCat("Connect is stopped on ", judged.name(),
                                    ", and no other node is known to serve"));
    }
    if (!judged.moved || !judged.leaves()) continue;
    const bool downtime = HasDowntime(input, judged);
    if (left == 0 && !downtime) {
      broken.push_back("the last node that serves is taken out of service");
    }
    if (left < minimum && !downtime && LeavesEnough(input, judged)) {
      broken.push_back(
          absl::StrCat(judged.name(), " leaves, and fewer than minimum_serving serve"));
    }
    const bool is_in_change = IsAllStopUnderWay(input) || IsListed(input, judged.name());
    if (judged.node->brief().reported_state() == v1::OBSERVED && !IsWanted(input, judged) &&
        !is_in_change) {
      broken.push_back(absl::StrCat(judged.name(), " is observed, and taken out by no person"));
    }
    const bool by_rule = judged.after.out_for_size() > 0;
    const bool stays_in_rotation =
        input.spec().load_balancer().health_check() == v1::LoadBalancerSpec::CONNECT;
    if (by_rule && stays_in_rotation && judged.given.state() == v1::DRAINING) {
      broken.push_back(
          absl::StrCat(judged.name(), " is closed by rules, and the load balancer asks Connect"));
    }
    if (!by_rule && !IsWanted(input, judged) && !IsChanged(input, judged) &&
        judged.node->start_failed().empty()) {
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
