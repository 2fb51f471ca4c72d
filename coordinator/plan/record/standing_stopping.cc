#include "coordinator/plan/record/standing_stopping.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/standing.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

void StandStopped(const Situation& situation, const Change& change, RolloutStatus& status) {
  if (!FirstOf(situation, change).empty()) {
    Stand(status, RolloutStatus::GOES_ON, "all nodes are stopped", {});
    return;
  }
  StandNobody(situation, "all nodes are stopped, and none may go first",
              "to go back: connect-ha rollout abort --reason ...", status);
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
  std::set<std::string> away;
  for (const Member& member : situation.members) {
    const bool is_away = !member.stays.empty() || member.may != May::kServe;
    if (is_away && !IsGone(member)) away.insert(member.name());
  }
  if (stopped) {
    StandStopped(situation, change, status);
  } else if (away.empty()) {
    Stand(status, RolloutStatus::GOES_ON, waits, {});
  } else {
    const std::string names = absl::StrJoin(away, ", ");
    Stand(status, RolloutStatus::WAITS, absl::StrCat(names, ": it is not known to be stopped"),
          {absl::StrCat("where that machine is no more: connect-ha rollout resume --skip-lost ",
                        *away.begin(), " --reason ..."),
           "to go back: connect-ha rollout abort --reason ..."});
  }
}

}  // namespace connect_ha
