#include "coordinator/cli/apply/follow.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/convergence_text.h"
#include "coordinator/cli/text/live_lines.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

using C = v1::Convergence;

constexpr std::chrono::seconds kPoll{1};
// A node that is not heard any more may be on its way up again, or on its way back to a coordinator
// that was started again; one that is left as it is, on its way to be told something else.
constexpr std::chrono::seconds kGrace{30};
// A fenced one comes back by itself, once what was wrong has been right for a while.
constexpr std::chrono::minutes kFencedGrace{3};

enum class Stand { kUnderWay, kRight, kWrong, kUnheard };

// By node: when it was heard last, or seen for the first time.
using Heard = std::map<std::string, Time>;

// The cluster as it was looked at, so long after the following began.
struct Look {
  const v1::Snapshot& snapshot;
  const v1::GetPlanResponse& plan;
  const Heard& heard;
  Time now;
  std::chrono::microseconds elapsed;
  bool undecided;  // right after a coordinator's start: nothing is known of a change

  bool enforced() const { return snapshot.spec().enforcement() == v1::ENFORCE; }
};

// What the node says is of the generation in force.
bool SpeaksOfThis(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return !node.odd() && !node.ahead() && node.reported_generation() == snapshot.generation() &&
         node.convergence().generation() == snapshot.generation();
}

// Nothing was decided of it yet.
bool IsUndecided(const v1::NodeSnapshot& node) {
  return !node.has_assigned_since() && node.waits_for().empty();
}

// Of one that is as the specification says: whether it is where it is to be, too. Where nothing was
// decided of it, it is.
Stand StandInService(const Look& look, const v1::NodeSnapshot& node) {
  if (!look.enforced() || IsUndecided(node)) return Stand::kRight;
  const bool there = node.assigned_state() == node.reported_state();
  if (IsHeldByPerson(look.plan, node.name())) return there ? Stand::kRight : Stand::kUnderWay;
  if (node.assigned_state() == v1::STOPPED) return Stand::kWrong;  // Connect does not start
  if (node.assigned_state() == v1::FENCED) {
    return look.elapsed < kFencedGrace ? Stand::kUnderWay : Stand::kWrong;
  }
  if (!there) return Stand::kUnderWay;
  const bool goes_no_further =
      node.allow() == v1::ALLOW_OBSERVE || node.allow() == v1::ALLOW_INSTALL;
  // Its Connect may run, and is yet to answer.
  const bool serves = node.assigned_state() == v1::SERVING && node.waits_for().empty();
  return goes_no_further || serves ? Stand::kRight : Stand::kUnderWay;
}

// Nothing of what differs is changed: it is only observed, or stopped, or Connect runs there and
// would have to be restarted for it.
bool IsLeftSo(const v1::NodeSnapshot& node) {
  const bool said_why = !node.assigned_reason().empty() || !node.waits_for().empty();
  const v1::NodeState told = node.assigned_state();
  return node.convergence().state() == C::DIFFERS && said_why &&
         (told == v1::OBSERVED || told == v1::STOPPED || told == v1::SERVING);
}

// Where the node is, and whether it goes on from there.
Stand StandOf(const Look& look, const v1::NodeSnapshot& node) {
  const v1::Snapshot& snapshot = look.snapshot;
  if (!IsLive(snapshot, node)) {
    return look.now - look.heard.at(node.name()) < kGrace ? Stand::kUnderWay : Stand::kUnheard;
  }
  if (node.odd()) return Stand::kWrong;  // no generation moves it
  if (IsConverged(snapshot, node)) return StandInService(look, node);
  if (Refuses(snapshot, node)) return Stand::kWrong;
  if (!SpeaksOfThis(snapshot, node)) return Stand::kUnderWay;
  if (node.convergence().state() == C::STUCK) return Stand::kWrong;
  if (!IsLeftSo(node)) return Stand::kUnderWay;
  return look.enforced() && look.elapsed < kGrace ? Stand::kUnderWay : Stand::kWrong;
}

// Of one that is as the specification says, whether it serves besides.
Cell StandCell(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node, Cell cell) {
  const bool enforced = snapshot.spec().enforcement() == v1::ENFORCE;
  if (!enforced || IsUndecided(node) || !IsLive(snapshot, node) || !IsConverged(snapshot, node)) {
    return cell;
  }
  absl::StrAppend(&cell.text, "; ", StateText(node));
  if (!node.waits_for().empty()) absl::StrAppend(&cell.text, "; waits for: ", node.waits_for());
  return cell;
}

bool IsAtStep(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return IsLive(snapshot, node) && SpeaksOfThis(snapshot, node) &&
         node.convergence().state() == C::CHANGING && node.convergence().has_step();
}

void NoteHeard(const v1::Snapshot& snapshot, Time now, Heard& heard) {
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    Time& at = heard.try_emplace(node.name(), now).first->second;
    if (IsLive(snapshot, node)) at = now;
  }
}

std::vector<LiveLine> ConvergenceLines(const v1::Snapshot& snapshot) {
  std::vector<LiveLine> lines;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    lines.push_back({node.name(), StandCell(snapshot, node, ConvergenceCell(snapshot, node)),
                     StandCell(snapshot, node, {ConvergenceKey(snapshot, node)}).text,
                     IsAtStep(snapshot, node)});
  }
  return lines;
}

int Conclude(Terminal& terminal, const Look& look) {
  const v1::Snapshot& snapshot = look.snapshot;
  int code = kHolds;
  size_t right = 0;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    const Stand stand = StandOf(look, node);
    right += stand == Stand::kRight ? 1 : 0;
    if (stand == Stand::kWrong) code = kFails;
    if (stand == Stand::kUnheard && code == kHolds) code = kUnknown;
    if (stand == Stand::kWrong) PrintTroubles(terminal, node);
  }
  terminal.out << right << " of " << Count(static_cast<size_t>(snapshot.nodes_size()), "node")
               << " as generation " << snapshot.generation() << " says, after "
               << FormatSpan(look.elapsed) << "\n";
  return code;
}

bool IsOver(const Look& look) {
  const auto& nodes = look.snapshot.nodes();
  return std::none_of(nodes.begin(), nodes.end(), [&look](const v1::NodeSnapshot& node) {
    return StandOf(look, node) == Stand::kUnderWay;
  });
}

int Overtaken(Terminal& terminal, uint64_t generation, uint64_t newer) {
  PrintError(terminal, absl::AbortedError(absl::StrCat(
                           "generation ", newer, " came after ", generation,
                           ", which is not followed any further; fix: connect-ha status --watch")));
  return kFails;
}

// How a change that does not go on by itself ends the following; unset: it may go on.
std::optional<int> Rests(Terminal& terminal, const v1::GetPlanResponse& plan,
                         const v1::RolloutStatus& change) {
  if (AwaitsApproval(plan, change)) {
    const std::string& reason = change.reason();
    PrintError(
        terminal,
        absl::AbortedError(absl::StrCat(
            "generation ", change.generation(),
            " is not begun; it waits for: ", reason.empty() ? "an approval" : reason, "; fix: ",
            change.fixes().empty() ? ApproveCommand(change.generation()) : change.fixes(0))));
    return kFails;
  }
  if (!IsStopped(change)) return std::nullopt;
  PrintRolloutReason(terminal, change);
  return kFails;
}

// It cannot begin before the other one, for which all nodes stop, has ended.
bool WaitsForOther(const v1::RolloutStatus& rollout, const v1::RolloutStatus& change) {
  return &rollout != &change && rollout.kind() == v1::Rollout::TOGETHER && !IsStopped(rollout);
}

// What nodes are on their way to, by the change that is under way, or by themselves.
std::optional<int> Follow(Terminal& terminal, LiveLines& lines, uint64_t generation,
                          const Look& look, Time now) {
  const v1::RolloutStatus& rollout = look.plan.decision().rollout();
  const v1::RolloutStatus& newest = NewestOf(rollout);
  const v1::RolloutStatus& followed = newest.generation() == generation ? newest : rollout;
  const uint64_t latest = std::max(look.snapshot.generation(), rollout.generation());
  if (latest > generation) return Overtaken(terminal, generation, latest);
  // In place nodes change by themselves, and say more of it: what they fetch, what they are stuck
  // at.
  if (IsChange(followed) && followed.phase() != v1::RolloutStatus::IN_PLACE) {
    lines.Show(RolloutLines(rollout, now), now);
    if (followed.generation() != generation || WaitsForOther(rollout, followed)) {
      return std::nullopt;
    }
    return Rests(terminal, look.plan, followed);
  }
  lines.Show(ConvergenceLines(look.snapshot), now);
  const bool in_force = look.snapshot.generation() == generation && !look.undecided;
  if (!in_force || !IsOver(look)) return std::nullopt;
  return Conclude(terminal, look);
}

}  // namespace

int FollowConvergence(const Environment& environment, const Arguments& arguments,
                      Terminal& terminal, uint64_t generation, std::chrono::seconds limit) {
  const v1::GetPlanResponse no_plan;
  const Time begun = environment.now();
  LiveLines lines(terminal, begun);
  Heard heard;
  for (;;) {
    const auto admin = OpenCoordinator(environment, arguments);
    const auto snapshot =
        admin.ok() ? GetStates(**admin) : absl::StatusOr<v1::Snapshot>(admin.status());
    const Time now = environment.now();
    if (!snapshot.ok()) {
      lines.ShowError(snapshot.status());
    } else {
      lines.Answered();
      NoteHeard(*snapshot, now, heard);
      // Without it nothing is known of what people said, nor of a change.
      const auto plan = (*admin)->GetPlan({});
      const Look look = {*snapshot,   plan.ok() ? *plan : no_plan,         heard, now,
                         now - begun, plan.ok() && !plan->has_decided_at()};
      const auto code = Follow(terminal, lines, generation, look, now);
      if (code) return *code;
    }
    if (now - begun >= limit || !environment.wait(kPoll)) {
      terminal.error << "not done after " << FormatSpan(now - begun)
                     << "; the nodes carry on by themselves\nfix:   connect-ha status --watch\n";
      return kUnknown;
    }
  }
}

}  // namespace connect_ha
