#include "coordinator/plan/record/standing_stopping.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/next/begin.h"
#include "coordinator/plan/record/standing.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

constexpr char kBack[] = "to go back: connect-ha rollout abort --reason ...";

void StandStopped(const Situation& situation, const Change& change, RolloutStatus& status) {
  const Member* first = FindMember(situation, FirstOf(situation, change));
  const std::string why = first == nullptr ? "" : WhyNoDatabase(situation, *first);
  if (!why.empty()) {
    Stand(status, RolloutStatus::WAITS,
          absl::StrCat("all nodes are stopped; ", first->name(), ": ", why),
          {"connect-ha checklist; once that is right it goes on by itself", kBack});
    return;
  }
  if (first != nullptr) {
    Stand(status, RolloutStatus::GOES_ON, "all nodes are stopped", {});
    return;
  }
  StandNobody(situation, "all nodes are stopped, and none may go first", kBack, status);
}

// "node-1, node-2: not every node was heard since the coordinator started: node-3; node-4: ..."
std::string WhoIsAway(const Situation& situation, std::set<std::string>& lost) {
  std::map<std::string, std::set<std::string>> away;
  for (const Member& member : situation.members) {
    const bool is_away = !member.stays.empty() || member.may != May::kServe;
    if (!is_away || IsGone(member)) continue;
    const bool may_be_no_more = MayBeNoMore(member);
    if (may_be_no_more) lost.insert(member.name());
    const bool is_lost = may_be_no_more && member.node->brief().lost();
    away[is_lost                ? "it is not known to be stopped"
         : member.stays.empty() ? member.why_no_more
                                : member.stays]
        .insert(member.name());
  }
  return absl::StrJoin(away, "; ", [](std::string* out, const auto& one) {
    absl::StrAppend(out, absl::StrJoin(one.second, ", "), ": ", one.first);
  });
}

}  // namespace

void StandStopping(const Situation& situation, const Change& change, RolloutStatus& status) {
  if (!change.goes_back.empty()) {
    Stand(status, RolloutStatus::WAITS, absl::StrCat(change.goes_back, ": all go back"),
          {"connect-ha rollout resume --reason ..."});
    return;
  }
  std::string waits;
  const bool stopped = AllStopped(situation, waits);
  std::set<std::string> lost;
  const std::string away = WhoIsAway(situation, lost);
  if (stopped) {
    StandStopped(situation, change, status);
  } else if (away.empty()) {
    Stand(status, RolloutStatus::GOES_ON, waits, {});
  } else {
    std::vector<std::string> fixes;
    if (!lost.empty()) fixes.push_back(WhereItIsNoMore(*lost.begin()));
    fixes.emplace_back(kBack);
    Stand(status, RolloutStatus::WAITS, away, fixes);
  }
}

}  // namespace connect_ha
