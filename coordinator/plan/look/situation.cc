#include "coordinator/plan/look/situation.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_join.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/may.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// One that was declared gone is back, and the cluster may have gone on without it: where Connect
// rests, it is prepared anew, whatever it was told before.
void BeginAgain(Member& member) {
  const bool is_back = member.memory.declared_gone() && member.words.gone == nullptr;
  if (!is_back || member.node->connect() == v1::CONNECT_UNKNOWN) return;
  member.memory.clear_declared_gone();
  const bool was_to_run = member.position == v1::SERVING || member.position == v1::DRAINING;
  if (was_to_run && member.node->connect() == v1::CONNECT_RESTS) member.position = v1::PREPARING;
}

// What else is wrong, and has not lasted long enough to act, or what is not known: a database that
// is away, say. It may pass, and Connect come up.
bool MayBeExplained(const Situation& situation, const Member& member) {
  const auto& rules = member.node->rules();
  return std::any_of(rules.begin(), rules.end(), [&](const v1::NodeRule& line) {
    if (line.rule() == kServiceRule || line.rule() == kGuardRule) return false;
    if (ActionOf(situation, member, line.rule()) <= v1::TELL) return false;
    const bool is_own = line.basis() == v1::SELF || line.basis() == v1::PROOF;
    return line.outcome() == v1::UNKNOWN || (Fails(line) && is_own && !line.undecided());
  });
}

// What there is to remember of it by what it says now.
void NoteProgress(Situation& situation, Member& member) {
  const uint64_t generation = situation.input.generation();
  if (HasConverged(situation.input, *member.node) && member.memory.reached() < generation) {
    member.memory.set_reached(generation);
    *member.memory.mutable_reached_at() = situation.input.now();
  }
  if (GaveUp(situation, member)) member.memory.set_start_failed(generation);
  if (member.words.start == nullptr) return;
  member.memory.clear_start_failed();
  member.tries_again = !member.node->start_failed().empty();
  situation.words.ended.push_back(member.words.start->number());
}

bool GoesOver(const Situation& situation, const Member& member) {
  if (!member.stays.empty() || member.may != May::kServe || member.position == v1::OBSERVED) {
    return false;
  }
  const bool is_to = member.memory.reached() < situation.input.generation();
  return is_to ? MayRunConnect(situation, member) : IsJustMade(situation, member);
}

}  // namespace

void Situation::Say(const std::string& node, const std::string& text, const std::string& fix,
                    const std::string& about) {
  v1::Said& line = said.emplace_back();
  line.set_node(node);
  line.set_text(text);
  line.set_fix(fix);
  line.set_about(about);
}

bool IsLater(const v1::Order& a, const v1::Order& b) {
  return a.epoch() != b.epoch() ? a.epoch() > b.epoch() : a.serial() > b.serial();
}

bool IsAwaited(const Member& member) {
  const v1::PlanNode& node = *member.node;
  return node.brief().has_last_seen() && !node.heard() && !node.brief().lost() &&
         member.words.gone == nullptr;
}

bool IsYetObserved(const Member& member) {
  return member.node->brief().reported_state() == v1::OBSERVED &&
         IsLater(member.memory.order(), member.node->obeys());
}

bool HasReached(const Member& member, v1::NodeState state) {
  return member.position == state && member.node->brief().reported_state() == state &&
         !IsLater(member.memory.order(), member.node->obeys());
}

bool StartFailed(const Member& member) {
  return member.position == v1::SERVING && !member.node->start_failed().empty() &&
         !member.tries_again && !IsLater(member.memory.order(), member.node->obeys());
}

bool GaveUp(const Situation& situation, const Member& member) {
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  const bool rests = member.node->connect() == v1::CONNECT_RESTS;
  return IsOutForServiceAlone(member) && (rests || !member.node->start_failed().empty()) &&
         line != nullptr && Fails(*line) && !MayBeExplained(situation, member);
}

Situation LookAt(const v1::PlanInput& input) {
  Situation situation{input, Moments(FromProto(input.now())), {}, {}, {}, false, std::nullopt, 0};
  situation.words = WordsInForce(input, situation.moments);
  Remember(input, situation);
  FindRestored(situation);
  std::set<std::string> unheard;
  for (const Member& member : situation.members) {
    if (IsAwaited(member)) unheard.insert(member.name());
  }
  const std::string awaited = absl::StrJoin(unheard, ", ");
  const bool restored = situation.restored_at.has_value();
  for (Member& member : situation.members) {
    const v1::PlanNode& node = *member.node;
    member.position = PositionOf(node, member.memory, input.epoch());
    member.stays = WhyStays(input, member, awaited, restored);
    if (member.stays.empty()) BeginAgain(member);
    member.left_alone = node.brief().claimants() > 1 || node.odd() || node.ahead() || restored;
    member.may = MayDo(input, member, member.why_no_more);
    member.notice = NoticeDue(situation, member);
    member.serves = !member.begins_anew && IsServing(input, member);
    if (member.stays.empty()) NoteProgress(situation, member);
  }
  for (const Member& member : situation.members) {
    situation.goes_over |= GoesOver(situation, member);
  }
  for (Member& member : situation.members) member.hazards = HazardsOf(situation, member);
  return situation;
}

}  // namespace connect_ha
