#include "coordinator/plan/record/accounts.h"

#include <algorithm>
#include <map>
#include <string>

#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kRestartsKept{1};

int64_t Micros(Time::duration span) {
  return std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(span).count());
}

bool IsInService(const v1::NodeMemory& memory) {
  return memory.state() == v1::OBSERVED || (memory.state() == v1::SERVING && !memory.closed());
}

uint64_t RefusedSince(const v1::PlanNode& node, uint64_t before) {
  // Its agent counts anew where it was started again.
  return node.refused() >= before ? node.refused() - before : node.refused();
}

// With each decision: what was counted before its agent is started again is known no more after
// that. Each of two machines under one name has a count of its own.
void CountRefused(const Member& member, v1::RolloutNode& node) {
  const v1::PlanNode& seen = *member.node;
  if (!node.has_out_since() || !seen.has_refused() || seen.brief().claimants() > 1) return;
  node.set_refused(node.refused() + RefusedSince(seen, node.refused_at()));
  node.set_refused_at(seen.refused());
}

void ComesBack(const Situation& situation, const Member* member, v1::RolloutNode& node) {
  if (!node.has_out_since()) return;
  node.set_out_us(node.out_us() + Micros(situation.moments.now() - FromProto(node.out_since())));
  if (member != nullptr) CountRefused(*member, node);
  node.clear_out_since();
  node.clear_refused_at();
}

// Of one that has ended nobody goes out any more.
void NoteOutOf(const Situation& situation, const Member& member, const v1::NodeMemory& after,
               bool ended, v1::RolloutNode& node) {
  if (IsGone(member)) node.set_skipped(true);
  CountRefused(member, node);
  if (!member.stays.empty()) return;
  if (IsInService(after)) return ComesBack(situation, &member, node);
  if (ended || node.has_out_since() || !node.to_change() || IsLeftOut(member)) return;
  *node.mutable_out_since() = situation.input.now();
  node.set_refused_at(member.node->refused());
}

// How long steps took that end with this decision; of several nodes the greatest counts.
using Spans = std::map<v1::RolloutStep::Step, Time::duration>;

void NoteSteps(const Situation& situation, const Member& member, const v1::NodeMemory& after,
               v1::Rollout::Kind kind, Spans& spans) {
  const Time::duration took = situation.moments.now() - FromProto(member.memory.since());
  const auto note = [&spans, took](v1::RolloutStep::Step step) {
    spans[step] = std::max(spans[step], took);
  };
  if (member.position == v1::PREPARING && after.state() == v1::READY) {
    note(v1::RolloutStep::CHANGING);
  }
  const bool opens = member.position == v1::SERVING && member.memory.closed() &&
                     after.state() == v1::SERVING && !after.closed();
  // Whoever waited for others took less than that.
  if (opens && kind != v1::Rollout::TOGETHER) note(v1::RolloutStep::STARTING);
}

// Its Connect is stopped now for what differs there.
bool IsRestart(const Situation& situation, const Member& member, const v1::NodeMemory& after) {
  const bool ran = member.position == v1::SERVING || member.position == v1::DRAINING;
  const bool stops = after.state() == v1::PREPARING || after.state() == v1::READY;
  return member.stays.empty() && ran && stops && !IsHeldByPerson(member) &&
         member.node->connect() != v1::CONNECT_RESTS && IsDrift(situation, member) &&
         NeedsOf(situation, member) >= v1::Change::RESTART;
}

void KeepRestarts(Situation& situation, v1::PlanMemory& remember) {
  const Time now = situation.moments.now();
  remember.clear_restarts();
  for (const v1::RestartMade& made : situation.input.memory().restarts()) {
    const Time at = std::min(FromProto(made.at()), now);  // a clock that ran back
    if (situation.moments.Reached(at + kRestartsKept)) continue;
    v1::RestartMade& kept = *remember.add_restarts();
    kept.set_node(made.node());
    *kept.mutable_at() = ToProto(at);
  }
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    if (!IsRestart(situation, member, remember.nodes(static_cast<int>(i)))) continue;
    v1::RestartMade& made = *remember.add_restarts();
    made.set_node(member.name());
    *made.mutable_at() = ToProto(now);
  }
}

}  // namespace

void NoteOut(const Situation& situation, const v1::PlanMemory& remember, v1::Rollout& rollout) {
  std::map<std::string, v1::RolloutNode*> nodes;
  for (v1::RolloutNode& node : *rollout.mutable_nodes()) nodes[node.node()] = &node;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const auto node = nodes.find(situation.members[i].name());
    if (node == nodes.end()) continue;
    NoteOutOf(situation, situation.members[i], remember.nodes(static_cast<int>(i)),
              rollout.has_ended_at(), *node->second);
  }
}

void CloseAccounts(const Situation& situation, v1::Rollout& rollout) {
  for (v1::RolloutNode& node : *rollout.mutable_nodes()) {
    ComesBack(situation, FindMember(situation, node.node()), node);
  }
}

void KeepAccounts(Situation& situation, const Change& change, v1::Decision& decision) {
  v1::PlanMemory& remember = *decision.mutable_remember();
  KeepRestarts(situation, remember);
  if (!change.under_way()) return;
  v1::Rollout& rollout = *remember.mutable_rollout();
  Spans spans;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    const bool is_listed = FindNode(rollout, member.name()) != nullptr;
    if (!member.stays.empty() || !is_listed || !IsTimed(situation, member.memory)) continue;
    NoteSteps(situation, member, remember.nodes(static_cast<int>(i)), rollout.kind(), spans);
  }
  // Before whoever comes back with this decision counts as having been out: it may be the first.
  for (const auto& [step, took] : spans) NoteSpan(rollout, step, took, remember);
  NoteOut(situation, remember, rollout);
}

}  // namespace connect_ha
