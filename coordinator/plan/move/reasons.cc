#include "coordinator/plan/move/reasons.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/leave.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

class Wishes {
 public:
  Wishes(Situation& situation, const Change& change, size_t index)
      : situation_(situation), change_(change), index_(index), member_(situation.members[index]) {}

  // `waits` as of WishesOf.
  std::vector<Wish> Take(std::string& waits) {
    ByPeople();
    ByEc2();
    ByStart();
    ByRules(Wish::kFence, v1::FENCE, v1::FENCED);
    ByDatabase();
    // Closed it is already.
    if (member_.position == v1::SERVING && !member_.memory.closed()) {
      ByRules(Wish::kClose, v1::CLOSE, v1::DRAINING);
      ByRules(Wish::kHold, v1::HOLD, v1::DRAINING);
    }
    ByChange(waits);
    return std::move(wishes_);
  }

 private:
  Wish& Add(Wish::Kind kind, Time since, v1::NodeState to, const std::string& reason) {
    Wish& wish = wishes_.emplace_back();
    wish.kind = kind;
    wish.member = index_;
    wish.since = since;
    wish.leave.to = to;
    wish.leave.reason = reason;
    return wish;
  }

  void ByWord(Wish::Kind kind, const v1::Word* word, v1::NodeState to) {
    if (word == nullptr) return;
    Wish& wish = Add(kind, FromProto(word->at()), to, SaidBy(*word));
    wish.number = word->number();
    wish.downtime = word->downtime();
  }

  // A node that drains already goes on by itself (course.h).
  void ByPeople() {
    ByWord(Wish::kFenceWord, member_.words.fence, v1::FENCED);
    if (member_.position == v1::DRAINING) return;
    const v1::Word* stop = member_.words.stop;
    const v1::Word* drain = member_.words.drain;
    ByWord(Wish::kStop, stop, stop != nullptr && stop->now() ? v1::STOPPED : v1::DRAINING);
    // A Connect that was found running is stopped only once its agent has closed it.
    const bool at_once = drain != nullptr && drain->now() && member_.position != v1::OBSERVED;
    ByWord(Wish::kDrain, drain, at_once ? v1::READY : v1::DRAINING);
  }

  void ByEc2() {
    const v1::InstanceNotice* notice = NoticeDue(situation_, member_);
    if (notice == nullptr || member_.position != v1::SERVING) return;
    // Started, and no other one serves: it is looked at, and then takes users.
    if (member_.memory.closed() && IsAlone(situation_, member_)) return;
    Add(IsCertain(*notice) ? Wish::kInstanceGoes : Wish::kNotice,
        notice->has_at() ? FromProto(notice->at()) : Time{}, v1::DRAINING, TextOf(*notice));
  }

  void ByStart() {
    if (!StartFailed(member_)) return;
    Add(Wish::kStartFailed, FromProto(member_.memory.since()), v1::STOPPED,
        absl::StrCat("Connect does not start: ", member_.node->start_failed()))
        .leave.start_failed = true;
  }

  void ByDatabase() {
    const std::string why = WhyTooOld(situation_, change_, member_);
    const Time since = FromProto(member_.memory.since());
    if (!why.empty()) Add(Wish::kOlder, since, v1::STOPPED, why).downtime = change_.is_closed();
  }

  // A node that drains already goes on by itself. Who waits for longest is no matter here: the
  // eldest comes first.
  void ByChange(std::string& waits) {
    if (member_.position == v1::DRAINING) return;
    const auto leaves = LeavesForChange(situation_, change_, member_, waits);
    if (!leaves) return;
    Wish& wish = Add(Wish::kChange, Time{}, leaves->to, leaves->why);
    wish.downtime = leaves->downtime;
    wish.leave.start_failed = leaves->start_failed;
  }

  // By all rules of one kind together: for all of them it comes back.
  void ByRules(Wish::Kind kind, v1::RuleAction action, v1::NodeState to) {
    Wish* wish = nullptr;
    for (const v1::Hazard& hazard : member_.hazards) {
      if (!hazard.acts() || hazard.action() != action) continue;
      const Time since = FromProto(hazard.since());
      if (wish == nullptr) {
        wish = &Add(kind, since, to, absl::StrCat(hazard.rule(), ": ", hazard.text()));
        wish->leave.fenced_by_rule = to == v1::FENCED;
      }
      wish->since = std::min(wish->since, since);
      wish->leave.rules.push_back(hazard.rule());
    }
  }

  Situation& situation_;
  const Change& change_;
  const size_t index_;
  const Member& member_;
  std::vector<Wish> wishes_;
};

bool MayHaveUsers(const Member& member) {
  if (member.position == v1::SERVING || member.position == v1::DRAINING) return true;
  return member.position == v1::OBSERVED && member.node->connect() != v1::CONNECT_RESTS;
}

}  // namespace

std::vector<Wish> WishesOf(Situation& situation, const Change& change,
                           std::vector<std::string>& waits) {
  std::vector<Wish> wishes;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    if (!member.stays.empty() || member.may != May::kServe || !MayHaveUsers(member)) continue;
    for (Wish& wish : Wishes(situation, change, i).Take(waits[i])) {
      wishes.push_back(std::move(wish));
    }
  }
  std::sort(wishes.begin(), wishes.end(), [&situation](const Wish& a, const Wish& b) {
    const auto key = [&situation](const Wish& wish) {
      return std::make_tuple(!wish.downtime, wish.kind, wish.since, wish.number,
                             situation.members[wish.member].node->member());
    };
    return key(a) < key(b);
  });
  return wishes;
}

}  // namespace connect_ha
