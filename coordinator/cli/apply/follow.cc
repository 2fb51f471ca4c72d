#include "coordinator/cli/apply/follow.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/convergence_text.h"
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
// Off a terminal, a step that lasts is spoken of this often.
constexpr std::chrono::seconds kStepSpokenOf{30};

// At most `columns`, cut at a character.
std::string Cut(const std::string& text, int columns) {
  if (Columns(text) <= columns) return text;
  std::string cut;
  int taken = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && ++taken >= columns) break;
    cut += c;
  }
  return cut + "~";
}

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

class Follower {
 public:
  Follower(Terminal& terminal, Time begun) : terminal_(terminal), begun_(begun) {}

  void Show(const v1::Snapshot& snapshot, Time now) {
    if (terminal_.interactive) {
      Redraw(snapshot, now);
    } else {
      WriteChanges(snapshot, now);
    }
  }

  void ShowError(const absl::Status& status) {
    if (std::exchange(away_, true)) return;
    PrintError(terminal_, status);
    drawn_ = 0;
  }

  void Answered() {
    if (std::exchange(away_, false)) terminal_.error << "the coordinator answers again\n";
  }

 private:
  struct Shown {
    std::string key;
    Time at;
  };

  std::string Elapsed(Time now) const { return FormatSpan(now - begun_); }

  static int NameColumns(const v1::Snapshot& snapshot) {
    int columns = 0;
    for (const v1::NodeSnapshot& node : snapshot.nodes()) {
      columns = std::max(columns, Columns(Printable(node.name())));
    }
    return columns;
  }

  void Redraw(const v1::Snapshot& snapshot, Time now) {
    if (drawn_ > 0) terminal_.out << "\x1b[" << drawn_ << "A\x1b[J";
    const int names = NameColumns(snapshot);
    for (const v1::NodeSnapshot& node : snapshot.nodes()) {
      const std::string name = Printable(node.name());
      const Cell cell = StandCell(snapshot, node, ConvergenceCell(snapshot, node));
      const std::string text = Cut(Printable(cell.text), terminal_.width - names - 3);
      terminal_.out << name << std::string(static_cast<size_t>(names + 2 - Columns(name)), ' ')
                    << Paint(terminal_, cell.style, text) << "\n";
    }
    terminal_.out << Elapsed(now) << "\n" << std::flush;
    drawn_ = snapshot.nodes_size() + 1;
  }

  // A line where something changed; of a step that lasts one in a while, with how far it is.
  void WriteChanges(const v1::Snapshot& snapshot, Time now) {
    for (const v1::NodeSnapshot& node : snapshot.nodes()) {
      const std::string key = StandCell(snapshot, node, {ConvergenceKey(snapshot, node)}).text;
      Shown& shown = shown_[node.name()];
      const bool changed = shown.key != key;
      if (!changed && !(IsAtStep(snapshot, node) && now - shown.at >= kStepSpokenOf)) continue;
      shown = {key, now};
      const std::string text = changed ? key : ConvergenceCell(snapshot, node).text;
      terminal_.out << Wrap(
          absl::StrCat("[", Elapsed(now), "] ", Printable(node.name()), ": ", Printable(text)),
          terminal_.width);
    }
    terminal_.out << std::flush;
  }

  Terminal& terminal_;
  const Time begun_;
  bool away_ = false;
  int drawn_ = 0;  // lines that stand on the terminal
  std::map<std::string, Shown> shown_;
};

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

}  // namespace

int FollowConvergence(const Environment& environment, const Arguments& arguments,
                      Terminal& terminal, uint64_t generation, std::chrono::seconds limit) {
  const v1::GetPlanResponse no_plan;
  const Time begun = environment.now();
  Follower follower(terminal, begun);
  Heard heard;
  for (;;) {
    const auto admin = OpenCoordinator(environment, arguments);
    const auto snapshot =
        admin.ok() ? GetStates(**admin) : absl::StatusOr<v1::Snapshot>(admin.status());
    const Time now = environment.now();
    if (!snapshot.ok()) {
      follower.ShowError(snapshot.status());
    } else {
      follower.Answered();
      if (snapshot->generation() > generation) {
        return Overtaken(terminal, generation, snapshot->generation());
      }
      NoteHeard(*snapshot, now, heard);
      follower.Show(*snapshot, now);
      // Without it nothing is known of what people said.
      const auto plan = (*admin)->GetPlan({});
      const Look look = {*snapshot, plan.ok() ? *plan : no_plan, heard, now, now - begun};
      if (snapshot->generation() == generation && IsOver(look)) return Conclude(terminal, look);
    }
    if (now - begun >= limit || !environment.wait(kPoll)) {
      terminal.error << "not done after " << FormatSpan(now - begun)
                     << "; the nodes carry on by themselves\nfix:   connect-ha status --watch\n";
      return kUnknown;
    }
  }
}

}  // namespace connect_ha
