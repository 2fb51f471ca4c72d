#include "coordinator/plan/change/turns.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

bool TakesUsersNow(const Member& member) { return member.serves && !member.memory.closed(); }

// It is to serve, and does not; those of which nothing is known, or that people hold, left out.
bool IsOutOfService(const Member& member) {
  if (member.may != May::kServe || IsGone(member) || IsLeftOut(member)) return false;
  if (member.node->brief().lost() || member.left_alone || TakesUsersNow(member)) return false;
  const bool told_to_take_users = member.position == v1::OBSERVED ||
                                  (member.position == v1::SERVING && !member.memory.closed());
  return member.node->fresh() || !told_to_take_users;
}

// Runtimes come first everywhere, since content may land anywhere; and go last, once the Connect
// there was restarted: they are waited for by nobody. Of a Connect that is down its own unit is
// what differs.
bool HasSmallChangesLeft(const Situation& situation, const Member& member) {
  if (member.position != v1::SERVING || !TakesUsersNow(member)) return false;
  if (!SpeaksOfGeneration(situation.input, *member.node)) return false;
  const auto& changes = member.node->convergence().changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return NeedsOfChange(change) < v1::Change::RESTART && change.resource() != kVersionsResource;
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

// Who leaves anyway comes last, before them who is cordoned, since it stays out then; of the others
// who is out of service comes first, then who has been a member for longest.
void Sort(std::vector<const Member*>& asking) {
  std::sort(asking.begin(), asking.end(), [](const Member* a, const Member* b) {
    if (LeavesAnyway(*a) != LeavesAnyway(*b)) return LeavesAnyway(*b);
    const bool a_is_cordoned = a->words.cordon != nullptr;
    const bool b_is_cordoned = b->words.cordon != nullptr;
    if (a_is_cordoned != b_is_cordoned) return b_is_cordoned;
    if (TakesUsersNow(*a) != TakesUsersNow(*b)) return TakesUsersNow(*b);
    return a->node->member() < b->node->member();
  });
}

}  // namespace

bool IsListed(const Change& change, const Member& member) {
  const v1::RolloutNode* node = FindNode(change.rollout, member.name());
  return node != nullptr && node->to_change();
}

bool Asks(const Situation& situation, const Change& change, const Member& member) {
  if (!member.stays.empty() || member.may != May::kServe) return false;
  if (NeedsOf(situation, member) < v1::Change::RESTART) return false;
  if (member.position == v1::SERVING) return !IsYetObserved(member);
  return member.position == v1::OBSERVED && member.node->connect() == v1::CONNECT_RUNS &&
         IsListed(change, member);
}

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

}  // namespace connect_ha
