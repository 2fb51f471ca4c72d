// What a person says of a change of the cluster.
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/plan/say.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/number.h"

namespace connect_ha {
namespace {

using v1::Word;

constexpr char kApprove[] =
    R"(Lets a generation stop Connect on all nodes, or migrate the database, which nothing takes back but a backup: look first at what it needs (connect-ha rollout status). Without GENERATION, the one that is to come or under way, where it is one alone. Where the specification has a maintenance window, it is begun in that; --now does not wait for it. It holds for this generation alone, and ends with the change. Also tries again what had halted before Connect was stopped, as a backup that failed.

--allow-downtime lets a change that goes from node to node leave fewer than nodes.minimum_serving, or none, in service. --skip-lost says that the machine of a node that is not heard is no more, and that no Connect runs there, so that the change does not wait for it (as connect-ha node gone): say it only where you know it. One that is back after all starts no Connect before it is what the others are. Both are an admin's.

Taken back with --take-back: a change that has not stopped all nodes yet goes back into service. Of a generation that is aborted it ends.)";
constexpr char kPause[] =
    R"(Holds a change up: nothing more is begun, and what is out of service for it comes back where it can. A node that is being changed goes on until it serves. Where all nodes are stopped already, the first one stays stopped if its Connect was not started yet. What takes no restart is not held: once a generation is in force, every node makes that by itself, the removal of runtimes that it does not name among it. Until connect-ha rollout resume.)";
constexpr char kResume[] =
    R"(Takes back the pause: what is under way goes on where it is. Where nothing is paused, or GENERATION is typed, it takes back the abort of that generation, whose approval has ended with the abort: it takes another one. Nothing else that people said is touched.

--skip-lost says that the machine of a node that is not heard is no more, and that no Connect runs there (as connect-ha node gone): the change does not wait for it any longer, and nothing is taken back. Say it only where you know it; it is an admin's.)";
constexpr char kAbort[] =
    R"(Gives a change up: that to GENERATION; without it, the one that is to come or under way, where it is one alone. Before it is in force, everything goes back to what it was. Later nothing leads back by itself: in a change that goes from node to node those that are changed stay so, and all serve; what takes no restart is made on every node all the same; where all nodes were stopped, those that are known to be right serve, and the others stay stopped; one that may be migrating the database is stopped once it has answered, or ended. connect-ha rollout status says which is what, and what to type to go on or back: connect-ha spec rollback is a change like any other. Ends when a newer generation is in force; connect-ha rollout resume takes it back.)";
constexpr char kRestored[] =
    R"(Says that the database was put back, from a backup, to what it was before a newer Connect than VERSION had migrated it: older ones than that, down to VERSION, may be started again. Say it after the database was put back, while Connect is stopped on all nodes, and before connect-ha spec rollback. Where it is not so, an old Connect is started on a newer database, which may destroy it.)";

std::string Typed(const char* command, uint64_t generation) {
  return absl::StrCat("connect-ha ", command, " ", generation, " --reason TEXT");
}

absl::Status SayWhich(const std::string& what, const char* command, uint64_t one, uint64_t other) {
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": which one is meant?; fix: ", Typed(command, one), "; or: ", Typed(command, other)));
}

// The generation that is typed, else the one that is to come or under way.
absl::StatusOr<uint64_t> GenerationMeant(const Environment& environment, const Arguments& arguments,
                                         AdminLink& admin, const char* command) {
  if (!arguments.positional.empty()) return ParseGeneration(arguments.positional[0]);
  const auto plan = DecidedPlan(environment, admin);
  if (!plan.ok()) return plan.status();
  const v1::RolloutStatus& rollout = plan->decision().rollout();
  if (!IsChange(rollout)) {
    return absl::NotFoundError(
        "no change is to come or under way; fix: connect-ha rollout status, connect-ha history");
  }
  if (!rollout.has_next()) return rollout.generation();
  const uint64_t next = rollout.next().generation();
  return SayWhich(
      absl::StrCat("generation ", rollout.generation(), " is under way, and ", next, " is to come"),
      command, rollout.generation(), next);
}

// Where the change is after it.
void PrintWhere(const Environment& environment, AdminLink& admin, Terminal& terminal) {
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return;
  PrintRolloutLine(terminal, plan->decision().rollout(), environment.now());
}

int Say(const Environment& environment, const Word& word, AdminLink& admin, Terminal& terminal) {
  const int code = GiveWord(word, admin, terminal);
  if (code == kHolds) PrintWhere(environment, admin, terminal);
  return code;
}

Word WordOf(Word::Kind kind, const Arguments& arguments) {
  Word word;
  word.set_kind(kind);
  word.set_reason(arguments.Get("--reason"));
  return word;
}

int SkipLost(AdminLink& admin, const Arguments& arguments, Terminal& terminal) {
  Word gone = WordOf(Word::GONE, arguments);
  gone.set_node(arguments.Get("--skip-lost"));
  const auto states = GetStates(admin);
  if (!states.ok()) return Fail(terminal, states.status());
  const absl::Status known = CheckNodes(*states, {gone.node()});
  if (!known.ok()) return Fail(terminal, known);
  return GiveWord(gone, admin, terminal);
}

int TakeBack(const Environment& environment, const v1::TakeBackRequest& request, AdminLink& admin,
             Terminal& terminal) {
  const auto taken = admin.TakeBack(request);
  if (!taken.ok()) return Fail(terminal, taken.status());
  PrintTakenBack(terminal, *taken);
  const int code = TellWhatFollows(Word::KIND_UNSPECIFIED, /*lets_back=*/false, admin, terminal,
                                   taken->assignment());
  PrintWhere(environment, admin, terminal);
  return code;
}

// The generations of which that was said.
std::set<uint64_t> SaidOf(const v1::GetPlanResponse& plan, Word::Kind kind) {
  std::set<uint64_t> generations;
  for (const Word& word : plan.words()) {
    if (word.kind() == kind) generations.insert(word.generation());
  }
  return generations;
}

// The approval, or the abort, of the generation that is typed, else of the only one.
absl::Status SetGeneration(const Arguments& arguments, const std::set<uint64_t>& said,
                           const std::string& what, const char* command,
                           v1::TakeBackRequest& request) {
  if (arguments.positional.empty()) {
    if (said.size() > 1) return SayWhich(what, command, *said.begin(), *said.rbegin());
    if (!said.empty()) request.set_generation(*said.begin());
    return absl::OkStatus();
  }
  const auto generation = ParseGeneration(arguments.positional[0]);
  if (!generation.ok()) return generation.status();
  request.set_generation(*generation);
  return absl::OkStatus();
}

int TakeBackApproval(const Environment& environment, const Arguments& arguments, AdminLink& admin,
                     Terminal& terminal) {
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return Fail(terminal, plan.status());
  v1::TakeBackRequest request;
  request.add_kinds(Word::APPROVE);
  request.set_why(arguments.Get("--reason"));
  const absl::Status meant =
      SetGeneration(arguments, SaidOf(*plan, Word::APPROVE), "several generations are approved",
                    "approve --take-back", request);
  if (!meant.ok()) return Fail(terminal, meant);
  return TakeBack(environment, request, admin, terminal);
}

int Approve(const Environment& environment, const Arguments& arguments, AdminLink& admin,
            Terminal& terminal) {
  if (arguments.Has("--take-back")) {
    return TakeBackApproval(environment, arguments, admin, terminal);
  }
  const auto generation = GenerationMeant(environment, arguments, admin, "approve");
  if (!generation.ok()) return Fail(terminal, generation.status());
  if (arguments.Has("--skip-lost")) {
    const int code = SkipLost(admin, arguments, terminal);
    if (code != kHolds && code != kFails) return code;
  }
  Word word = WordOf(Word::APPROVE, arguments);
  word.set_generation(*generation);
  word.set_now(arguments.Has("--now"));
  word.set_downtime(arguments.Has("--allow-downtime"));
  return Say(environment, word, admin, terminal);
}

int Pause(const Environment& environment, const Arguments& arguments, AdminLink& admin,
          Terminal& terminal) {
  return Say(environment, WordOf(Word::PAUSE, arguments), admin, terminal);
}

// Nobody holds it up, but it may not go on by itself.
absl::Status NothingToResume(const v1::RolloutStatus& rollout) {
  std::string text = "nobody said pause or abort";
  if (rollout.standing() != v1::RolloutStatus::HALTED || rollout.fixes().empty()) {
    return absl::NotFoundError(text + "; fix: connect-ha rollout status");
  }
  return absl::NotFoundError(absl::StrCat(
      text, ": generation ", rollout.generation(),
      " is halted by what went wrong; fix: ", absl::StrJoin(rollout.fixes(), "; or: ")));
}

// A pause is of no generation, and is taken back without one.
absl::Status OnlyPaused(uint64_t generation) {
  return absl::NotFoundError(absl::StrCat("nobody said abort of generation ", generation,
                                          ", and a pause is in force; fix: connect-ha rollout "
                                          "resume --reason TEXT"));
}

int Resume(const Environment& environment, const Arguments& arguments, AdminLink& admin,
           Terminal& terminal) {
  if (arguments.Has("--skip-lost")) {
    const int code = SkipLost(admin, arguments, terminal);
    if (code == kHolds || code == kFails) PrintWhere(environment, admin, terminal);
    return code;
  }
  const auto plan = DecidedPlan(environment, admin);
  if (!plan.ok()) return Fail(terminal, plan.status());
  const bool paused = !SaidOf(*plan, Word::PAUSE).empty();
  const std::set<uint64_t> aborted = SaidOf(*plan, Word::ABORT);
  v1::TakeBackRequest request;
  request.set_why(arguments.Get("--reason"));
  if (paused && arguments.positional.empty()) {
    request.add_kinds(Word::PAUSE);
    return TakeBack(environment, request, admin, terminal);
  }
  if (aborted.empty() && arguments.positional.empty()) {
    return Fail(terminal, NothingToResume(plan->decision().rollout()));
  }
  request.add_kinds(Word::ABORT);
  const absl::Status meant = SetGeneration(arguments, aborted, "several generations are aborted",
                                           "rollout resume", request);
  if (!meant.ok()) return Fail(terminal, meant);
  if (paused && aborted.count(request.generation()) == 0) {
    return Fail(terminal, OnlyPaused(request.generation()));
  }
  return TakeBack(environment, request, admin, terminal);
}

int Abort(const Environment& environment, const Arguments& arguments, AdminLink& admin,
          Terminal& terminal) {
  const auto generation = GenerationMeant(environment, arguments, admin, "rollout abort");
  if (!generation.ok()) return Fail(terminal, generation.status());
  Word word = WordOf(Word::ABORT, arguments);
  word.set_generation(*generation);
  return Say(environment, word, admin, terminal);
}

int Restored(const Environment& environment, const Arguments& arguments, AdminLink& admin,
             Terminal& terminal) {
  if (!arguments.Has("--version")) {
    return Fail(terminal,
                absl::InvalidArgumentError(
                    "it needs the version of Connect that the database is of now; fix: connect-ha "
                    "rollout restored --version VERSION --reason TEXT"));
  }
  Word word = WordOf(Word::RESTORED, arguments);
  word.set_version(arguments.Get("--version"));
  return Say(environment, word, admin, terminal);
}

using Saying = int (*)(const Environment& environment, const Arguments& arguments, AdminLink& admin,
                       Terminal& terminal);

Command MakeCommand(const Environment& environment, Command command, Saying saying,
                    std::vector<Option> options = {}) {
  options.insert(options.begin(), ReasonOption());
  command.options = ClientOptions(std::move(options));
  const std::string name = command.name;
  command.run = [&environment, saying, name](const Arguments& arguments, Terminal& terminal) {
    const absl::Status reason = CheckReason(arguments, CommandAsTyped(name, arguments));
    if (!reason.ok()) return Fail(terminal, reason);
    const auto admin = OpenCoordinator(environment, arguments);
    if (!admin.ok()) return Fail(terminal, admin.status());
    return saying(environment, arguments, **admin, terminal);
  };
  return command;
}

Command ApproveCommandAs(const Environment& environment, const char* name, const char* example) {
  Command command = {name, "[GENERATION]", "Let a change stop Connect on all nodes", kApprove};
  command.examples = {example};
  return MakeCommand(
      environment, std::move(command), Approve,
      {{"--now", nullptr, "Do not wait for the maintenance window"},
       {"--allow-downtime", nullptr, "Also where too few others serve, or none; an admin's"},
       {"--skip-lost", "NODE", "Its machine is no more: do not wait for it; an admin's"},
       {"--take-back", nullptr, "Take it back instead"}});
}

}  // namespace

std::vector<Command> RolloutWordCommands(const Environment& environment) {
  Command hold = {"rollout pause", "", "Hold a change up", kPause};
  hold.examples = {"connect-ha rollout pause --reason \"node-1 is slow\""};
  Command go_on = {"rollout resume", "[GENERATION]", "Let a change go on", kResume};
  go_on.examples = {"connect-ha rollout resume --reason \"it was the disk\"",
                    "connect-ha rollout resume --skip-lost node-3 --reason \"is terminated\""};
  Command give_up = {"rollout abort", "[GENERATION]", "Give a change up", kAbort};
  give_up.examples = {"connect-ha rollout abort --reason \"users need it today\""};
  Command put_back = {"rollout restored", "", "Say that the database was put back", kRestored};
  put_back.examples = {
      "connect-ha rollout restored --version 2024.08.0 --reason \"snapshot of 02:00\""};
  return {
      ApproveCommandAs(environment, "approve",
                       "connect-ha approve 8 --reason \"agreed with the users\""),
      ApproveCommandAs(environment, "rollout approve",
                       "connect-ha rollout approve 8 --now --reason \"it cannot wait\""),
      MakeCommand(environment, std::move(hold), Pause),
      MakeCommand(
          environment, std::move(go_on), Resume,
          {{"--skip-lost", "NODE", "Its machine is no more: do not wait for it; an admin's"}}),
      MakeCommand(environment, std::move(give_up), Abort),
      MakeCommand(environment, std::move(put_back), Restored,
                  {{"--version", "VERSION", "Of Connect, that the database is of now; needed"}}),
  };
}

}  // namespace connect_ha
