#include "coordinator/plan/change/turn.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/kind.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kRestartsIn{1};
constexpr uint32_t kRestartsPerHour = 2;

bool IsListed(const Change& change, const Member& member) {
  const v1::RolloutNode* node = FindNode(change.rollout, member.name());
  return node != nullptr && node->to_change();
}

// It runs something else, or is to, and could be changed now.
bool Asks(const Situation& situation, const Change& change, const Member& member) {
  if (!member.stays.empty() || member.may != May::kServe) return false;
  if (NeedsOf(situation, member) < v1::Change::RESTART) return false;
  if (member.position == v1::SERVING) return true;
  return member.position == v1::OBSERVED && member.node->connect() == v1::CONNECT_RUNS &&
         IsListed(change, member);
}

bool TakesUsersNow(const Member& member) { return member.serves && !member.memory.closed(); }

// It is to serve, and does not; those of which nothing is known, or that people hold, left out.
bool IsOutOfService(const Member& member) {
  if (member.may != May::kServe || IsGone(member) || IsLeftOut(member)) return false;
  if (member.node->brief().lost() || member.left_alone || TakesUsersNow(member)) return false;
  const bool told_to_take_users = member.position == v1::OBSERVED ||
                                  (member.position == v1::SERVING && !member.memory.closed());
  return member.node->fresh() || !told_to_take_users;
}

// Runtimes come first everywhere, since content may land anywhere. Of a Connect that is down its
// own unit is what differs.
bool HasSmallChangesLeft(const Situation& situation, const Member& member) {
  if (member.position != v1::SERVING || !TakesUsersNow(member)) return false;
  if (!SpeaksOfGeneration(situation.input, *member.node)) return false;
  const auto& changes = member.node->convergence().changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return NeedsOfChange(change) < v1::Change::RESTART;
  });
}

// "node-1, node-2, node-3 and 4 more"
class Names {
 public:
  void Add(const std::string& name) {
    ++count_;
    if (names_.size() < kNamed) names_.insert(name);
  }
  size_t count() const { return count_; }
  std::string Text() const {
    const size_t more = count_ - names_.size();
    return absl::StrCat(absl::StrJoin(names_, ", "),
                        more == 0 ? "" : absl::StrCat(" and ", more, " more"));
  }

 private:
  static constexpr size_t kNamed = 5;
  std::set<std::string> names_;
  size_t count_ = 0;
};

// Of this change, and none of it is back yet as the generation says.
bool IsCanaryDue(const Situation& situation, const Change& change) {
  if (!change.under_way()) return false;
  return std::none_of(
      situation.members.begin(), situation.members.end(), [&](const Member& member) {
        return TakesUsersNow(member) && HasConverged(situation.input, *member.node) &&
               IsListed(change, member);
      });
}

size_t MaxUnavailable(const Situation& situation, const Change& change) {
  const v1::RolloutSpec& spec = situation.input.spec().rollout();
  const size_t said = spec.has_max_unavailable() ? spec.max_unavailable() : 1;
  return IsCanaryDue(situation, change) ? 1 : std::max<size_t>(said, 1);
}

// Who is out of service anyway comes first, then who has been a member for longest.
void Sort(std::vector<const Member*>& asking) {
  std::sort(asking.begin(), asking.end(), [](const Member* a, const Member* b) {
    if (TakesUsersNow(*a) != TakesUsersNow(*b)) return TakesUsersNow(*b);
    return a->node->member() < b->node->member();
  });
}

size_t RestartsLately(const Situation& situation) {
  const auto& made = situation.input.memory().restarts();
  return static_cast<size_t>(
      std::count_if(made.begin(), made.end(), [&situation](const v1::RestartMade& one) {
        return situation.moments.now() < FromProto(one.at()) + kRestartsIn;
      }));
}

size_t RestartsPerHour(const Situation& situation) {
  const v1::RolloutSpec& spec = situation.input.spec().rollout();
  return spec.has_restarts_per_hour() ? spec.restarts_per_hour() : kRestartsPerHour;
}

// It drains, and is to be stopped for what differs there: that counts from now on, as one of those
// of the hour, or as many as may be out at once would each be the last one that may be.
bool IsOnItsWay(const Situation& situation, const Member& member) {
  return member.stays.empty() && member.position == v1::DRAINING && !IsHeldByPerson(member) &&
         IsDrift(situation, member);
}

// Those whose turn it is with the same decision, and that come before it, too.
size_t RestartsToCome(const Situation& situation, const Change& change, const Member& member) {
  size_t count = static_cast<size_t>(
      std::count_if(situation.members.begin(), situation.members.end(),
                    [&](const Member& other) { return IsOnItsWay(situation, other); }));
  for (const Member* before : change.turns.next) {
    if (before == &member) break;
    if (IsDrift(situation, *before) && !before->memory.closed()) ++count;
  }
  return count;
}

// Of those that drain for it the eldest go first.
size_t RestartsBefore(const Situation& situation, const Member& member) {
  return static_cast<size_t>(
      std::count_if(situation.members.begin(), situation.members.end(), [&](const Member& other) {
        return IsOnItsWay(situation, other) && other.node->member() < member.node->member();
      }));
}

std::string WhyNoRestart(Situation& situation, const Change& change, const Member& member) {
  for (const Member& other : situation.members) {
    if (&other == &member || other.memory.start_failed() != situation.input.generation()) continue;
    return absl::StrCat("Connect did not start on ", other.name(), ": that comes first");
  }
  const size_t most = RestartsPerHour(situation);
  const size_t made = RestartsLately(situation);
  if (made + RestartsToCome(situation, change, member) < most) return "";
  if (made < most) {
    return absl::StrCat(
        "others that are restarted for what differs there: as many as may be within the hour ",
        "(rollout.restarts_per_hour: ", most, ")");
  }
  const std::string why = absl::StrCat(
      "Connect was restarted as often within the hour as it may be for what differs "
      "(rollout.restarts_per_hour: ",
      most, ")");
  situation.Say(member.name(), absl::StrCat(ResourceToChange(member), " differs, and ", why),
                absl::StrCat("connect-ha node drain ", member.name(),
                             " --reason ..., then: connect-ha node uncordon ", member.name()));
  return why;
}

// The others are as the generation says: what all of them have to stop for is behind them.
bool IsLastOfMany(const Situation& situation, const Member& member) {
  return std::none_of(situation.members.begin(), situation.members.end(), [&](const Member& other) {
    return &other != &member && MayRunConnect(other) &&
           other.memory.reached() < situation.input.generation();
  });
}

}  // namespace

// As many go as may be out together with those that are.
Turns WhoseTurn(const Situation& situation, const Change& change) {
  std::vector<const Member*> asking;
  Names out;
  Names small;
  for (const Member& member : situation.members) {
    if (HasSmallChangesLeft(situation, member)) small.Add(member.name());
    if (Asks(situation, change, member)) {
      asking.push_back(&member);
    } else if (IsOutOfService(member)) {
      out.Add(member.name());
    }
  }
  Sort(asking);
  const size_t most = MaxUnavailable(situation, change);
  Turns turns;
  for (const Member* member : asking) {
    if (out.count() >= most) break;
    turns.next.push_back(member);
    out.Add(member->name());
  }
  turns.out = out.Text();
  turns.small = small.Text();
  return turns;
}

std::string ResourceToChange(const Member& member) {
  const v1::Change* change = FirstThatInterrupts(member.node->convergence());
  return change == nullptr ? "what Connect is started with" : change->resource();
}

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
  } else if (!change.turns.small.empty()) {
    waits = absl::StrCat("what is added without a restart, on ", change.turns.small);
  } else if (!has_come) {
    waits = absl::StrCat(change.turns.out, " to serve first");
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
  const bool may_be =
      !IsDrift(situation, member) ||
      RestartsLately(situation) + RestartsBefore(situation, member) < RestartsPerHour(situation);
  return may_be ? absl::StrCat("a change: ", ResourceToChange(member)) : "";
}

}  // namespace connect_ha
