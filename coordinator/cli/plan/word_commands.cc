// What a person says of a node or a rule: a row for each command.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/nearest.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/plan/say.h"
#include "coordinator/cli/text/duration.h"

namespace connect_ha {
namespace {

using v1::Word;

constexpr char kCordon[] =
    R"(Keeps a node from entering service. One that serves goes on serving; once it left, it does not come back. Until connect-ha node uncordon, or --until.)";
constexpr char kDrain[] =
    R"(Takes a node out of service: its gate closes, so that the load balancer sends it no new sessions; its users have rollout.drain_timeout (5 minutes by default) to end theirs, and then Connect is stopped and masked there, and the node kept ready. Until connect-ha node uncordon, or --until. connect-ha status shows what still runs.

A node is not taken out where fewer than nodes.minimum_serving others serve: it waits for them, and that is said (exit code 1). --allow-downtime takes it out all the same, the last one, too.)";
constexpr char kUncordon[] =
    R"(Takes back cordon and drain: the node enters service again, if everything that has to hold does.)";
constexpr char kStop[] =
    R"(As connect-ha node drain, and then nothing is changed on the node any more: for work by hand. Until connect-ha node start, or --until.)";
constexpr char kStart[] =
    R"(Takes back stop. Where Connect did not start on the node however often it was tried, it is tried once more.)";
constexpr char kFence[] =
    R"(Stops Connect on a node and masks it at once, without waiting for its users. Until connect-ha node unfence, or --until. Where fewer than nodes.minimum_serving others serve, the node goes on and that is said (exit code 1), unless --allow-downtime is given.)";
constexpr char kUnfence[] =
    R"(Takes back fence. Where no person but a rule fenced the node: lets it back into service although the rule fails there, until --until; no rule fences it meanwhile. Look first at what is wrong (connect-ha checklist --node NODE): a fence keeps a node from writing where it would do harm. Ended early with --take-back.)";
constexpr char kGone[] =
    R"(Says that a node's machine is no more, and that no Connect runs there: nothing waits for it any longer. Say it only where you know it, as of an instance that is terminated; a Connect that still runs there would be started beside. Ends as soon as the node is heard again. To remove it from the cluster, too: connect-ha node remove.)";
constexpr char kRelease[] =
    R"(Lets go of a node: it is only observed from then on, Connect's unit is unmasked where connect-ha had masked it, the guard beside the unit (preflight, and what binds it to its mount) is taken away, and the packages that connect-ha put on hold are no longer on hold. Connect is neither stopped nor started. Until it is taken back with --take-back.)";
constexpr char kWaive[] =
    R"(Has a rule do nothing for a time, on one node or everywhere: it is judged and shown as before, with until when. A rule that fences (connect-ha rules) is waived by an admin alone. For good, and for other rules: rules in cluster.yaml.)";

constexpr char kEndsNothing[] = "--until ends nothing: no rule fences the node\n";

struct Row {
  const char* name;
  const char* operands;
  const char* summary;
  const char* description;
  Word::Kind gives;  // KIND_UNSPECIFIED: only takes back
  // What is taken back; where there is none of it, or that was not all, `gives` is given.
  std::vector<Word::Kind> takes_back = {};
  const char* example = "";
  enum { kNoEnd, kMayEnd, kHasToEnd } end = kNoEnd;
  bool drains = false;           // --now
  bool downtime = false;         // --allow-downtime
  bool take_back_asked = false;  // --take-back
};

const std::vector<Row>& Rows() {
  static const auto& rows = *new std::vector<Row>{
      {"node cordon", "NODE", "Keep a node from entering service", kCordon, Word::CORDON,
       /*takes_back=*/{}, "connect-ha node cordon node-2 --reason \"disk is replaced tomorrow\"",
       Row::kMayEnd},
      {"node drain", "NODE", "Take a node out of service, and keep it ready", kDrain, Word::DRAIN,
       /*takes_back=*/{}, "connect-ha node drain node-2 --reason \"kernel update\"", Row::kMayEnd,
       /*drains=*/true,
       /*downtime=*/true},
      {"node uncordon",
       "NODE",
       "Let a node back into service",
       kUncordon,
       Word::KIND_UNSPECIFIED,
       {Word::CORDON, Word::DRAIN},
       "connect-ha node uncordon node-2 --reason \"update is done\""},
      {"node stop", "NODE", "Take a node out of service, and change nothing there", kStop,
       Word::STOP, /*takes_back=*/{},
       "connect-ha node stop node-2 --reason \"work on the machine\" --now", Row::kMayEnd,
       /*drains=*/true, /*downtime=*/true},
      {"node start",
       "NODE",
       "Take back stop, or try once more to start Connect",
       kStart,
       Word::START,
       {Word::STOP},
       "connect-ha node start node-2 --reason \"licence is renewed\""},
      {"node fence", "NODE", "Stop Connect on a node at once", kFence, Word::FENCE,
       /*takes_back=*/{}, "connect-ha node fence node-2 --reason \"writes to the wrong place\"",
       Row::kMayEnd, /*drains=*/false,
       /*downtime=*/true},
      {"node unfence",
       "NODE",
       "Take back fence, or let a node back that a rule fenced",
       kUnfence,
       Word::UNFENCE,
       {Word::FENCE},
       "connect-ha node unfence node-2 --until 2h --reason \"the rule is wrong here\"",
       Row::kMayEnd,
       /*drains=*/false,
       /*downtime=*/false,
       /*take_back_asked=*/true},
      {"node gone", "NODE", "Say that a node's machine is no more", kGone, Word::GONE,
       /*takes_back=*/{}, "connect-ha node gone node-2 --reason \"instance is terminated\"",
       Row::kNoEnd, /*drains=*/false,
       /*downtime=*/false, /*take_back_asked=*/true},
      {"release", "NODE", "Let go of a node, with nothing left behind", kRelease, Word::RELEASE,
       /*takes_back=*/{}, "connect-ha release node-2 --reason \"leaves connect-ha\"", Row::kNoEnd,
       /*drains=*/false,
       /*downtime=*/false, /*take_back_asked=*/true},
      {"waive", "RULE", "Have a rule do nothing for a time", kWaive, Word::WAIVE,
       /*takes_back=*/{},
       "connect-ha waive clocks-are-synchronised --until 2h --reason \"NTP is being moved\"",
       Row::kHasToEnd,
       /*drains=*/false, /*downtime=*/false, /*take_back_asked=*/true},
  };
  return rows;
}

absl::Status CheckRule(const std::string& rule) {
  if (FindRule(rule) != nullptr) return absl::OkStatus();
  std::vector<std::string> names;
  for (const Rule& row : Rules()) names.emplace_back(row.id);
  const std::string nearest = Nearest(rule, names);
  return absl::NotFoundError(
      absl::StrCat("no rule \"", rule, "\"",
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
                   "; fix: to see them all: connect-ha rules"));
}

absl::Status CheckArguments(const Row& row, const Arguments& arguments) {
  const std::string command = CommandAsTyped(row.name, arguments);
  if (const absl::Status reason = CheckReason(arguments, command); !reason.ok()) return reason;
  const bool gives = !arguments.Has("--take-back");
  if (gives && row.end == Row::kHasToEnd && !arguments.Has("--until")) {
    return absl::InvalidArgumentError(
        absl::StrCat("it needs an end; fix: ", command, " --until 2h --reason TEXT"));
  }
  return row.gives == Word::WAIVE ? CheckRule(arguments.positional[0]) : absl::OkStatus();
}

// The node that it is said of; "" for every one.
std::string NodeOf(const Row& row, const Arguments& arguments) {
  return row.gives == Word::WAIVE ? arguments.Get("--node") : arguments.positional[0];
}

absl::StatusOr<Word> MakeWord(const Environment& environment, const Row& row,
                              const Arguments& arguments) {
  Word word;
  word.set_kind(row.gives);
  word.set_node(NodeOf(row, arguments));
  if (row.gives == Word::WAIVE) word.set_rule(arguments.positional[0]);
  word.set_reason(arguments.Get("--reason"));
  word.set_now(arguments.Has("--now"));
  word.set_downtime(arguments.Has("--allow-downtime"));
  if (!arguments.Has("--until")) return word;
  const auto until = ParseEnd(arguments.Get("--until"), environment.now());
  if (!until.ok()) return until.status();
  *word.mutable_until() = ToProto(*until);
  return word;
}

// uncordon, start, unfence
bool LetsBack(const Row& row) { return !row.takes_back.empty(); }

// What was taken back was not all that the command is for.
bool IsToBeGivenToo(const Word& word, const v1::NodeAssignment& assignment) {
  // A person fenced it, and a rule does, too.
  const bool fenced = word.has_until() && assignment.state() == v1::FENCED;
  // A person stopped it, and Connect had not started there: the plan waits for this very command.
  const bool stopped = word.kind() == Word::START && assignment.state() == v1::STOPPED &&
                       absl::StartsWith(assignment.waits_for(),
                                        absl::StrCat("connect-ha node start ", word.node(), " "));
  return fenced || stopped;
}

absl::StatusOr<v1::TakeBackResponse> TakeBack(const Row& row, const Arguments& arguments,
                                              const std::vector<Word::Kind>& kinds,
                                              AdminLink& admin) {
  v1::TakeBackRequest request;
  request.set_node(NodeOf(row, arguments));
  if (row.gives == Word::WAIVE) request.set_rule(arguments.positional[0]);
  for (const Word::Kind kind : kinds) request.add_kinds(kind);
  request.set_why(arguments.Get("--reason"));
  return admin.TakeBack(request);
}

int Run(const Environment& environment, const Row& row, const Arguments& arguments,
        Terminal& terminal) {
  if (const absl::Status status = CheckArguments(row, arguments); !status.ok()) {
    return Fail(terminal, status);
  }
  const auto word = MakeWord(environment, row, arguments);
  if (!word.ok()) return Fail(terminal, word.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  if (!word->node().empty()) {
    const auto states = GetStates(**admin);
    if (!states.ok()) return Fail(terminal, states.status());
    const absl::Status known = CheckNodes(*states, {word->node()});
    if (!known.ok()) return Fail(terminal, known);
  }
  const bool only_back = arguments.Has("--take-back");
  const std::vector<Word::Kind> kinds =
      only_back ? std::vector<Word::Kind>{row.gives} : row.takes_back;
  if (!kinds.empty()) {
    const auto taken = TakeBack(row, arguments, kinds, **admin);
    if (taken.ok()) {
      PrintTakenBack(terminal, *taken);
      if (!only_back && IsToBeGivenToo(*word, taken->assignment())) {
        return GiveWord(*word, **admin, terminal);
      }
      if (word->has_until() && !only_back) terminal.out << kEndsNothing;
      return TellWhatFollows(row.gives, LetsBack(row) && !only_back, **admin, terminal,
                             taken->assignment());
    }
    const bool goes_on =
        absl::IsNotFound(taken.status()) && !only_back && row.gives != Word::KIND_UNSPECIFIED;
    if (!goes_on) return Fail(terminal, taken.status());
  }
  if (row.gives == Word::UNFENCE && !word->has_until()) {
    return Fail(terminal, absl::InvalidArgumentError(absl::StrCat(
                              "no person fenced ", word->node(),
                              ", and to let it out where a rule did needs an end; fix: ",
                              CommandAsTyped(row.name, arguments), " --until 2h --reason TEXT")));
  }
  return GiveWord(*word, **admin, terminal);
}

std::vector<Option> OptionsOf(const Row& row) {
  std::vector<Option> options = {ReasonOption()};
  if (row.gives == Word::WAIVE) options.push_back({"--node", "NODE", "Only there"});
  if (row.end != Row::kNoEnd) {
    options.push_back({"--until", "TIME", "It ends by itself: in 2h, 1d, or at a time (UTC)"});
  }
  if (row.drains) options.push_back({"--now", nullptr, "Do not wait for the node's users"});
  if (row.downtime) {
    options.push_back(
        {"--allow-downtime", nullptr, "Also where too few others serve, or none; an admin's"});
  }
  if (row.take_back_asked) options.push_back({"--take-back", nullptr, "Take it back instead"});
  return ClientOptions(std::move(options));
}

Command MakeCommand(const Environment& environment, const Row& row) {
  Command command = {row.name, row.operands, row.summary, row.description};
  command.options = OptionsOf(row);
  if (row.gives == Word::WAIVE) command.operand_choices = RuleIds();
  command.examples = {row.example};
  command.run = [&environment, &row](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, row, arguments, terminal);
  };
  return command;
}

}  // namespace

std::vector<Command> WordCommands(const Environment& environment) {
  std::vector<Command> commands;
  for (const Row& row : Rows()) commands.push_back(MakeCommand(environment, row));
  return commands;
}

}  // namespace connect_ha
