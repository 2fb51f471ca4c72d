#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/live_lines.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

constexpr char kDescription[] =
    R"(Shows the change of the cluster that is to come or under way: which generation, of what kind, where it is (connect-ha rollout phases says what each phase means), who approved it, since when, and about how long it still takes by what earlier ones took; and of each node its state, its step in the change, since when, and what it waits for. (closed) beside serving: Connect runs there, and is looked at before its gate opens. Where one is under way and a newer generation is to come, that one is named, too.

With --watch it is kept up to date: redrawn on a terminal; elsewhere a line is written where something changed, with --json one object a line. It ends when the change does, and where it is refused, aborted or halted; what is paused or awaits an approval is watched on.

Exit status: 1 where the change, or the one to come, is refused, aborted or halted, or, with --watch, the one that is watched, or it did not come to its end; else 0, also where none is under way.)";

constexpr std::chrono::seconds kPoll{1};

// An end that is looked for in the history is among so many.
constexpr uint32_t kLatest = 100;

int CodeOf(const RolloutStatus& rollout) { return IsStopped(rollout) ? kFails : kHolds; }

int ShowOnce(const Environment& environment, const Arguments& arguments, AdminLink& admin,
             Terminal& terminal) {
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return Fail(terminal, snapshot.status());
  const auto plan = DecidedPlan(environment, admin);
  if (!plan.ok()) return Fail(terminal, plan.status());
  const RolloutStatus& rollout = plan->decision().rollout();
  if (IsJsonAsked(arguments)) {
    terminal.out << ToJson(rollout);
  } else {
    PrintRollout(terminal, *snapshot, *plan, environment.now());
  }
  return std::max(CodeOf(rollout), CodeOf(rollout.next()));
}

// What is watched, until it ends.
class Watch {
 public:
  Watch(const Environment& environment, const Arguments& arguments, Terminal& terminal)
      : environment_(environment),
        arguments_(arguments),
        terminal_(terminal),
        lines_(terminal, environment.now()) {}

  int Run() {
    for (;;) {
      const absl::Status looked = Look();
      if (!looked.ok()) {
        lines_.ShowError(looked);
      } else if (const auto code = Ended()) {
        return *code;
      }
      if (!environment_.wait(kPoll)) return looked.ok() ? CodeOf(now_) : kUnknown;
    }
  }

 private:
  absl::Status Look() {
    const auto admin = OpenCoordinator(environment_, arguments_);
    if (!admin.ok()) return admin.status();
    const auto snapshot = GetStates(**admin);
    if (!snapshot.ok()) return snapshot.status();
    const auto plan = (*admin)->GetPlan({});
    if (!plan.ok()) return plan.status();
    lines_.Answered();
    // Right after a coordinator's start nothing is known of a change.
    if (!plan->has_decided_at()) return absl::OkStatus();
    decided_ = true;
    now_ = plan->decision().rollout();
    Show(*snapshot, *plan);
    return absl::OkStatus();
  }

  void Show(const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan) {
    const Time now = environment_.now();
    if (IsJsonAsked(arguments_)) {
      const std::string key = WithoutEstimates(now_).SerializeAsString();
      if (key != json_) terminal_.out << ToJsonLine(now_) << std::flush;
      json_ = key;
    } else if (terminal_.interactive) {
      constexpr char kClear[] = "\x1b[H\x1b[2J";
      std::ostringstream text;
      Terminal screen{text, text, terminal_.color, terminal_.width, terminal_.interactive};
      PrintRollout(screen, snapshot, plan, now);
      terminal_.out << kClear << text.str() << "\nevery second, Ctrl-C to stop\n" << std::flush;
    } else if (IsChange(now_)) {
      lines_.Show(RolloutLines(now_, now), now);
    }
  }

  // The exit code, where it is over; what was not written yet is.
  std::optional<int> Ended() {
    if (!decided_) return std::nullopt;
    const bool plain = !terminal_.interactive && !IsJsonAsked(arguments_);
    if (!IsChange(now_) && watched_ == 0) {
      if (plain) terminal_.out << "no change is under way; connect-ha history\n";
      return kHolds;
    }
    if (watched_ != 0 && (!IsChange(now_) || now_.generation() != watched_)) return HowItEnded();
    watched_ = now_.generation();
    if (!IsStopped(now_)) return std::nullopt;
    if (plain) PrintRolloutReason(terminal_, now_);
    return kFails;
  }

  // The one that was watched is not the one that is shown any more. Unset: it is not known yet.
  std::optional<int> HowItEnded() {
    const bool done = now_.generation() == watched_ && now_.phase() == RolloutStatus::DONE;
    v1::Rollout::End end = done ? v1::Rollout::DONE : v1::Rollout::END_UNSPECIFIED;
    if (!done) {
      const auto found = FindEnd();
      if (!found.ok()) {
        lines_.ShowError(found.status());
        return std::nullopt;
      }
      end = *found;
    }
    if (end == v1::Rollout::DONE) {
      if (!terminal_.interactive && !IsJsonAsked(arguments_)) {
        terminal_.out << "generation " << watched_ << " is done; connect-ha history\n";
      }
      return kHolds;
    }
    if (now_.generation() > watched_) {
      terminal_.error << "generation " << now_.generation() << " took the place of " << watched_
                      << "\nfix:   connect-ha rollout status --watch\n";
    } else {
      terminal_.error << "how generation " << watched_
                      << " ended is not known here (the store may be an older copy)\n"
                         "fix:   connect-ha history; connect-ha spec show\n";
    }
    return kFails;
  }

  // Of the history, which has also what ended in the same moment as another one began.
  absl::StatusOr<v1::Rollout::End> FindEnd() const {
    const auto admin = OpenCoordinator(environment_, arguments_);
    if (!admin.ok()) return admin.status();
    v1::ListRolloutsRequest request;
    request.set_limit(kLatest);
    const auto rollouts = (*admin)->ListRollouts(request);
    if (!rollouts.ok()) return rollouts.status();
    for (const v1::Rollout& rollout : rollouts->rollouts()) {
      if (rollout.generation() == watched_) return rollout.end();
    }
    return v1::Rollout::END_UNSPECIFIED;
  }

  const Environment& environment_;
  const Arguments& arguments_;
  Terminal& terminal_;
  LiveLines lines_;
  bool decided_ = false;  // once, at least
  RolloutStatus now_;
  uint64_t watched_ = 0;     // the generation; 0: none was under way
  std::string json_ = "{}";  // what was written last
};

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());  // what is mistyped stays so
  if (arguments.Has("--watch")) return Watch(environment, arguments, terminal).Run();
  return ShowOnce(environment, arguments, **admin, terminal);
}

}  // namespace

Command RolloutStatusCommand(const Environment& environment) {
  Command command = {"rollout status", "", "Show how far a change of the cluster is", kDescription};
  command.options = ClientOptions(
      WithJson({{"--watch", nullptr, "Keep it up to date, until it ends or Ctrl-C"}}));
  command.examples = {"connect-ha rollout status", "connect-ha rollout status --watch"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
