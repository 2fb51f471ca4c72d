#include "coordinator/plan/move/fence.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/capacity.h"
#include "coordinator/plan/move/drain.h"
#include "coordinator/plan/move/fences_made.h"
#include "coordinator/plan/move/reasons.h"

namespace connect_ha {
namespace {

size_t FencesPerHour(const v1::ClusterSpec& spec) {
  return spec.nodes().has_fences_per_hour() ? spec.nodes().fences_per_hour() : 1;
}

// Rules must leave nodes that are known to be without the fault: by those of which too few are it
// does not leave.
std::string WhyTooFewAreSound(const Capacity& capacity, const Wish& wish, size_t needed,
                              std::vector<std::string>& rules) {
  size_t most = 0;
  const auto is_kept = [&](const std::string& rule) {
    const size_t others = capacity.SoundOthers(wish.member, rule);
    most = std::max(most, others);
    return others < needed;
  };
  rules.erase(std::remove_if(rules.begin(), rules.end(), is_kept), rules.end());
  if (!rules.empty()) return "";
  return absl::StrCat("so few others serve that are known to be without that fault: ", most,
                      ", it takes ", needed);
}

// People, EC2 and a Connect that does not start must leave enough.
std::string WhyTooFew(Situation& situation, const Change& change, const Capacity& capacity,
                      const Wish& wish, Leave& leave) {
  const size_t minimum = MinimumServing(situation.input.spec());
  // It takes nothing from users whose gate was not opened yet. But what is drained is had back
  // where no other serves.
  const bool is_drained = wish.kind == Wish::kDrain || wish.kind == Wish::kStop;
  const bool is_had_back = is_drained && !wish.downtime && capacity.Others(wish.member) == 0;
  if (situation.members[wish.member].memory.closed() && !is_had_back) return "";
  if (!leave.rules.empty()) {
    const size_t needed = wish.kind == Wish::kHold ? minimum : 1;
    std::string why = WhyTooFewAreSound(capacity, wish, needed, leave.rules);
    if (why.empty()) leave.reason = OutText(situation.members[wish.member], leave.rules);
    return why;
  }
  // It is stopped for all of them in any case.
  const bool is_held = !WhyHeld(situation, change, situation.members[wish.member]).empty();
  if (wish.downtime || is_held) return "";
  // One that is down takes nothing from users by that. But the last one may come up again.
  const bool is_lost = wish.kind == Wish::kStartFailed || wish.kind == Wish::kOlder ||
                       wish.kind == Wish::kInstanceGoes ||
                       IsDown(situation, situation.members[wish.member]);
  const size_t needed = is_lost ? 1 : minimum;
  const size_t others = capacity.Others(wish.member);
  if (others >= needed) return "";
  return absl::StrCat("so few others serve: ", others, ", it takes ", needed);
}

// What leaves for a rule, say, may be fenced by a person, or stopped at once.
bool GoesFurther(v1::NodeState to, v1::NodeState than) {
  const auto how_far = [](v1::NodeState state) {
    return state == v1::FENCED ? 3 : state == v1::STOPPED ? 2 : state == v1::READY ? 1 : 0;
  };
  return how_far(to) > how_far(than);
}

std::string FixFor(const Situation& situation, const Wish& wish, const std::string& node) {
  switch (wish.kind) {
    case Wish::kFenceWord:
    case Wish::kStop:
    case Wish::kDrain:
      return "the same command with --allow-downtime does it all the same";
    case Wish::kStartFailed:
      return absl::StrCat("journalctl -u rstudio-connect on ", node,
                          "; once it may go well: connect-ha node start ", node, " --reason ...");
    case Wish::kChange:
      return absl::StrCat("connect-ha approve ", situation.input.generation(),
                          " --allow-downtime --reason ... does it all the same");
    default:
      return absl::StrCat("connect-ha checklist; connect-ha node stop ", node,
                          " --allow-downtime --reason ... takes it out all the same");
  }
}

}  // namespace

std::vector<Leaving> WhoLeaves(Situation& situation, const Change& change) {
  std::vector<Leaving> leaving(situation.members.size());
  std::vector<std::string> waits(situation.members.size());
  struct Refused {
    size_t member;
    v1::NodeState to;
    std::string text;
    std::string fix;
    std::string about;
  };
  std::vector<Refused> refused;
  Capacity capacity(situation);
  const size_t most = FencesPerHour(situation.input.spec());
  std::set<std::string> fenced = FencedLately(situation);
  for (const Wish& wish : WishesOf(situation, change, waits)) {
    Leaving& one = leaving[wish.member];
    if (one.leave && !GoesFurther(wish.leave.to, one.leave->to)) continue;
    const std::string& name = situation.members[wish.member].name();
    Leave leave = wish.leave;
    std::string why = WhyTooFew(situation, change, capacity, wish, leave);
    std::string fix = FixFor(situation, wish, name);
    // One that is fenced again is no other one.
    const bool is_one_more = wish.leave.fenced_by_rule && fenced.count(name) == 0;
    if (why.empty() && is_one_more && fenced.size() >= most) {
      why = absl::StrCat("rules have fenced as many nodes within the hour as they may: ", most);
      fix = absl::StrCat("connect-ha node fence ", name, " --reason ...");
    }
    if (!why.empty()) {
      const std::string& reason = wish.leave.reason;
      const std::string rules = absl::StrJoin(wish.leave.rules, ", ");
      refused.push_back({wish.member, wish.leave.to,
                         absl::StrCat(reason, "; it stays, since ", why), std::move(fix),
                         absl::StrCat(rules.empty() ? reason : rules, "; ", why)});
      continue;
    }
    if (wish.leave.fenced_by_rule) fenced.insert(name);
    // For all of them it is stopped, and not only made ready.
    const bool is_held = !WhyHeld(situation, change, situation.members[wish.member]).empty();
    if (is_held && leave.to == v1::READY) leave.to = v1::STOPPED;
    one.leave = std::move(leave);
    capacity.Leave(wish.member);
  }
  for (size_t i = 0; i < leaving.size(); ++i) leaving[i].waits = waits[i];
  for (const Refused& one : refused) {
    Leaving& stays = leaving[one.member];
    // Closed is not fenced: Connect goes on there.
    const bool is_only_closed =
        stays.leave && stays.leave->to == v1::DRAINING && one.to == v1::FENCED;
    if (stays.leave && !is_only_closed) continue;
    if (stays.kept.empty()) stays.kept = one.text;
    situation.Say(situation.members[one.member].name(), one.text, one.fix, one.about);
  }
  return leaving;
}

}  // namespace connect_ha
