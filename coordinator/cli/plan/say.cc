#include "coordinator/cli/plan/say.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/command/text_table.h"
#include "common/text/shell_word.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

// What becomes of the node.
void PrintOutcome(Terminal& terminal, const v1::NodeAssignment& assignment) {
  if (assignment.node().empty()) return;
  std::string text =
      absl::StrCat(assignment.node(), " is to be ", StateText(assignment, assignment.state()));
  if (!assignment.reason().empty()) absl::StrAppend(&text, ": ", assignment.reason());
  if (!assignment.waits_for().empty()) {
    absl::StrAppend(&text, "; waits for: ", assignment.waits_for());
  }
  terminal.out << Wrap(Printable(text), terminal.width);
}

// It was to leave service, and does not yet: who goes on by the exit code is to know that.
bool IsKept(v1::Word::Kind kind, const v1::NodeAssignment& assignment) {
  const v1::NodeState state = assignment.state();
  if (assignment.node().empty()) return false;
  if (kind == v1::Word::FENCE) return state != v1::FENCED;
  const bool goes = kind == v1::Word::DRAIN || kind == v1::Word::STOP;
  return goes && (state == v1::SERVING || state == v1::OBSERVED);
}

// It was to come back, and something else keeps it out: says what a person said. A rule's fence is
// the assignment's reason.
bool TellWhatHolds(Terminal& terminal, const v1::GetPlanResponse& plan,
                   const v1::NodeAssignment& assignment) {
  const auto words = HoldingWords(plan, assignment.node());
  for (const v1::Word* const word : words) {
    terminal.out << Wrap(
        Printable(absl::StrCat(assignment.node(), " is still kept out: ", WordText(*word), ", by ",
                               word->by(), ": ", word->reason(),
                               "; to take it back: ", TakenBackBy(*word))),
        terminal.width);
  }
  return !words.empty() || assignment.state() == v1::FENCED;
}

}  // namespace

std::string CommandAsTyped(const std::string& name, const Arguments& arguments) {
  std::string command = absl::StrCat("connect-ha ", name);
  for (const char* option : {"--node", "--until", "--skip-lost", "--version"}) {
    if (!arguments.Has(option)) continue;
    absl::StrAppend(&command, " ", option, " ", ShellWord(arguments.Get(option)));
  }
  for (const char* option : {"--now", "--allow-downtime", "--take-back"}) {
    if (arguments.Has(option)) absl::StrAppend(&command, " ", option);
  }
  if (arguments.positional.empty()) return command;
  return absl::StrCat(command, " ", ShellOperand(arguments.positional[0]));
}

Option ReasonOption() {
  return {"--reason", "TEXT", "Why: shown to others, and kept in the audit log; needed"};
}

absl::Status CheckReason(const Arguments& arguments, const std::string& command) {
  if (!absl::StripAsciiWhitespace(arguments.Get("--reason")).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("it needs a reason, which others will read; fix: ", command, " --reason TEXT"));
}

int GiveWord(const v1::Word& word, AdminLink& admin, Terminal& terminal) {
  v1::GiveWordRequest request;
  *request.mutable_word() = word;
  const auto response = admin.GiveWord(request);
  if (!response.ok()) return Fail(terminal, response.status());
  const std::string back = TakenBackBy(response->word());
  terminal.out << Wrap(Printable(absl::StrCat(WordText(response->word()), ": said",
                                              back.empty() ? "" : "; to take it back: ", back)),
                       terminal.width);
  const bool lets_back = word.kind() == v1::Word::START || word.kind() == v1::Word::UNFENCE;
  return TellWhatFollows(word.kind(), lets_back, admin, terminal, response->assignment());
}

void PrintTakenBack(Terminal& terminal, const v1::TakeBackResponse& response) {
  for (const v1::Word& word : response.words()) {
    terminal.out << Wrap(
        Printable(absl::StrCat(WordText(word), ", by ", word.by(), ": taken back")),
        terminal.width);
  }
}

int TellWhatFollows(v1::Word::Kind kind, bool lets_back, AdminLink& admin, Terminal& terminal,
                    const v1::NodeAssignment& assignment) {
  PrintOutcome(terminal, assignment);
  const auto plan = admin.GetPlan({});
  const v1::GetPlanResponse shown = plan.ok() ? *plan : v1::GetPlanResponse();
  PrintNotInForce(terminal, shown);
  const bool held =
      lets_back ? TellWhatHolds(terminal, shown, assignment) : IsKept(kind, assignment);
  return shown.broken().empty() && !held ? kHolds : kFails;
}

}  // namespace connect_ha
