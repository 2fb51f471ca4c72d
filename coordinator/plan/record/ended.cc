#include "coordinator/plan/record/ended.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/record/accounts.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

// So long after it nodes are back, or are out for something else.
constexpr std::chrono::minutes kOnTheWay{15};

bool IsAnybodyOut(const v1::Rollout& rollout) {
  return std::any_of(rollout.nodes().begin(), rollout.nodes().end(),
                     [](const v1::RolloutNode& node) { return node.has_out_since(); });
}

// From its beginning on.
bool IsTimedByThis(const Situation& situation, const v1::Rollout& rollout,
                   const v1::PlanMemory& remember) {
  const auto& nodes = remember.nodes();
  return std::all_of(nodes.begin(), nodes.end(), [&](const v1::NodeMemory& node) {
    return node.generation() != rollout.generation() || IsTimed(situation, node);
  });
}

void AddRemarks(const Change& change, v1::Rollout& rollout) {
  std::vector<std::string> remarks;
  if (!rollout.remarks().empty()) remarks.push_back(rollout.remarks());
  for (const v1::RolloutNode& node : rollout.nodes()) {
    if (node.skipped()) remarks.push_back(absl::StrCat(node.node(), " was declared gone"));
  }
  if (!change.halted.empty()) remarks.push_back(change.halted);
  if (!change.goes_back.empty()) remarks.push_back(change.goes_back);
  rollout.set_remarks(absl::StrJoin(remarks, "; "));
}

void ForgetGivenUp(const Situation& situation, v1::Decision& decision) {
  v1::Rollout rollout = decision.remember().given_up();
  decision.mutable_remember()->clear_given_up();
  if (!IsAnybodyOut(rollout)) return;
  CloseAccounts(situation, rollout);
  *decision.add_ended() = rollout;
}

}  // namespace

void End(const Situation& situation, const Change& change, v1::Rollout::End end,
         v1::Rollout& rollout, v1::Decision& decision) {
  const Time now = situation.moments.now();
  const bool in_place = end == v1::Rollout::DONE && rollout.kind() == v1::Rollout::IN_PLACE;
  if (in_place && IsTimedByThis(situation, rollout, decision.remember())) {
    NoteSpan(rollout, v1::RolloutStep::CHANGING, now - FromProto(rollout.in_force_at()),
             *decision.mutable_remember());
  }
  *rollout.mutable_ended_at() = ToProto(now);
  rollout.set_end(end);
  AddRemarks(change, rollout);
  CloseAccounts(situation, rollout);
  *decision.add_ended() = rollout;
}

void GiveUp(const Situation& situation, const Change& change, v1::Rollout::End end,
            v1::Decision& decision) {
  v1::PlanMemory& remember = *decision.mutable_remember();
  v1::Rollout in_force = remember.given_up();
  v1::Rollout told = remember.rollout();
  End(situation, change, end, told, decision);
  // Who is out is on the way back from now on.
  v1::Rollout& given_up = *remember.mutable_given_up();
  given_up = told;
  *given_up.mutable_nodes() = remember.rollout().nodes();
  remember.clear_rollout();
  if (in_force.generation() != situation.input.generation()) return;
  in_force.clear_ended_at();
  in_force.clear_end();
  *remember.mutable_rollout() = in_force;
}

void KeepGivenUp(const Situation& situation, v1::Decision& decision) {
  v1::PlanMemory& remember = *decision.mutable_remember();
  if (!IsAnybodyOut(remember.given_up())) return;
  v1::Rollout& rollout = *remember.mutable_given_up();
  NoteOut(situation, remember, rollout);
  const bool is_late = situation.moments.Lasted(FromProto(rollout.ended_at()), kOnTheWay);
  if (IsAnybodyOut(rollout) && !is_late) return;
  CloseAccounts(situation, rollout);
  *decision.add_ended() = rollout;
}

void Supersede(const Situation& situation, const Change& change, const v1::Rollout& next,
               v1::Decision& decision) {
  v1::PlanMemory& remember = *decision.mutable_remember();
  v1::Rollout before = remember.rollout();
  const bool is_under_way = change.under_way() && !before.has_ended_at();
  if (is_under_way) {
    End(situation, change,
        change.aborted != nullptr ? v1::Rollout::ABORTED : v1::Rollout::SUPERSEDED, before,
        decision);
  }
  ForgetGivenUp(situation, decision);
  if (!is_under_way || next.has_in_force_at()) return;
  before.set_remarks(remember.rollout().remarks());
  *remember.mutable_given_up() = before;
}

}  // namespace connect_ha
