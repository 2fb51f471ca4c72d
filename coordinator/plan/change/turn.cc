#include "coordinator/plan/change/turn.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/change/turns.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// The others are as the generation says: what all of them have to stop for is behind them.
bool IsLastOfMany(const Situation& situation, const Member& member) {
  return std::none_of(situation.members.begin(), situation.members.end(), [&](const Member& other) {
    return &other != &member && MayRunConnect(situation, other) &&
           other.memory.reached() < situation.input.generation();
  });
}

// Restarted alone, it would use another key or database than the others.
bool IsFilledInAnew(const Member& member) {
  const auto& changes = member.node->convergence().changes();
  return std::any_of(changes.begin(), changes.end(),
                     [](const v1::Change& change) { return change.filled_in_anew(); });
}

}  // namespace

std::string TurnOf(Situation& situation, const Change& change, const Member& member,
                   std::string& waits) {
  if (!Asks(situation, change, member)) return "";
  const std::string what = absl::StrCat("a change: ", ResourceToChange(member));
  const bool drift = IsDrift(situation, member);
  const bool together = NeedsOf(situation, member) == v1::Change::TOGETHER;
  const std::vector<const Member*>& next = change.turns.next;
  const bool has_come = std::find(next.begin(), next.end(), &member) != next.end();
  if (change.paused != nullptr) {
    waits = SaidBy(*change.paused);
  } else if (change.aborted != nullptr) {
    waits = SaidBy(*change.aborted);
  } else if (change.stopping) {
    waits = "the generation that all nodes stop for";
  } else if (!change.halted.empty() && !(member.memory.closed() && IsListed(change, member))) {
    waits = change.halted;
  } else if (together && !drift && !IsLastOfMany(situation, member)) {
    waits =
        "all nodes have to stop for it together, and this generation is in force: "
        "connect-ha apply, then connect-ha approve";
  } else if (drift && IsFilledInAnew(member)) {
    waits =
        "all nodes to stop for it together, since a secret was changed that they have in common: "
        "connect-ha apply, then connect-ha approve";
  } else if (!change.turns.small.empty()) {
    waits = absl::StrCat("what is added without a restart, on ", change.turns.small);
  } else if (!has_come) {
    waits = absl::StrCat(change.turns.out, " to serve first");
  } else if (member.position == v1::OBSERVED && IsStuck(situation.input, *member.node)) {
    waits = "what is in the way here to be put right";
  } else if (change.first_alone && MayBeMigrating(member)) {
    waits = "Connect to answer here: it may be migrating the database";
  } else if (drift && !member.memory.closed()) {
    waits = WhyNoRestart(situation, change, member);
  }
  if (waits.empty()) return what;
  waits = absl::StrCat(what, ": waits for ", waits);
  return "";
}

std::string WhyItIsStopped(const Situation& situation, const Change& change, const Member& member) {
  if (member.position != v1::DRAINING || !change.goes_on()) return "";
  if (NeedsOf(situation, member) < v1::Change::RESTART) return "";
  const bool may_be = !IsDrift(situation, member) || MayGoOn(situation, member);
  return may_be ? absl::StrCat("a change: ", ResourceToChange(member)) : "";
}

std::string WhyNotTakenIn(Situation& situation, const Change& change, const Member& member) {
  const v1::Rollout& rollout = change.rollout;
  const bool joined_since = rollout.kind() == v1::Rollout::ROLLING &&
                            rollout.generation() == situation.input.generation() &&
                            FindNode(rollout, member.name()) == nullptr;
  if (change.goes_on() || !joined_since) return "";
  const std::string what = absl::StrCat("generation ", rollout.generation());
  const std::string why = change.paused != nullptr    ? SaidBy(*change.paused)
                          : change.aborted != nullptr ? SaidBy(*change.aborted)
                                                      : "it stopped half way";
  if (OthersThatMayServe(situation, member) >= MinimumServing(situation.input.spec())) {
    return absl::StrCat(what,
                        " to go on, before one that joined since is started as that says: ", why);
  }
  situation.Say(
      member.name(),
      absl::StrCat("it is started as ", what,
                   " says, though that does not go on, since too few others serve: ", why),
      "connect-ha rollout status");
  return "";
}

}  // namespace connect_ha
