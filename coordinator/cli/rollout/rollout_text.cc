#include "coordinator/cli/rollout/rollout_text.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"
#include "coordinator/cli/text/preview_text.h"
#include "coordinator/plan/change/phases.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

constexpr int kIndent = 2;

// "GETTING_READY" -> "getting ready"; "-" for what ends with UNSPECIFIED.
std::string Words(const std::string& name, bool known) {
  return known ? absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}}) : "-";
}

std::string Left(int64_t left_us) {
  return absl::StrCat("about ", FormatSpan(std::chrono::microseconds(left_us)), " left");
}

std::string For(const google::protobuf::Timestamp& since, Time now) {
  return FormatSpan(now - FromProto(since));
}

// Of what went wrong the journal's last lines may follow.
std::vector<std::string> ReasonLines(const RolloutStatus& rollout) {
  return absl::StrSplit(rollout.reason(), '\n', absl::SkipEmpty());
}

// "HALTED: node-1: ...", "waits for: ..."; of a reason its first line. "" where it goes on.
std::string StandingText(const RolloutStatus& rollout) {
  const std::vector<std::string> lines = ReasonLines(rollout);
  const std::string reason = lines.empty() ? "" : lines.front();
  std::string word;
  switch (rollout.standing()) {
    case RolloutStatus::HALTED:
      word = "HALTED";
      break;
    case RolloutStatus::PAUSED:
      word = "paused";
      break;
    case RolloutStatus::WAITS:
      word = reason.empty() ? "waits" : "waits for";
      break;
    default:
      return reason;
  }
  return reason.empty() ? word : absl::StrCat(word, ": ", reason);
}

Style StyleOf(const RolloutStatus& rollout) {
  if (IsStopped(rollout)) return Style::kBad;
  if (rollout.phase() == RolloutStatus::DONE) return Style::kGood;
  const bool rests =
      rollout.standing() == RolloutStatus::PAUSED || rollout.standing() == RolloutStatus::WAITS;
  return rests ? Style::kDoubtful : Style::kPlain;
}

// "together: stopping"; without what it waits for.
std::string Where(const RolloutStatus& rollout) {
  const std::string phase = PhaseName(rollout.phase());
  return rollout.kind() == v1::Rollout::KIND_UNSPECIFIED
             ? phase
             : absl::StrCat(RolloutKindName(rollout.kind()), ": ", phase);
}

// `now`: with what only passes; null: without.
std::string LineOf(const RolloutStatus& rollout, const Time* now) {
  std::string text = Where(rollout);
  if (now != nullptr && rollout.has_since()) {
    absl::StrAppend(&text, ", for ", For(rollout.since(), *now));
  }
  if (now != nullptr && rollout.has_left_us()) {
    absl::StrAppend(&text, ", ", Left(rollout.left_us()));
  }
  const std::string standing = StandingText(rollout);
  return standing.empty() ? text : absl::StrCat(text, "; ", standing);
}

// "serving (closed)"; "" of a coordinator that does not say.
std::string StateOf(const v1::RolloutStep& step) {
  if (step.state() == v1::NODE_STATE_UNSPECIFIED) return "";
  v1::NodeAssignment told;
  told.set_state(step.state());
  told.set_closed(step.closed());
  return StateText(told, step.reported_state());
}

std::string TextOf(const v1::RolloutStep& step, const Time* now) {
  std::string text = StateOf(step);
  absl::StrAppend(&text, text.empty() ? "" : ", ", StepName(step.step()));
  if (now != nullptr && step.has_since()) {
    absl::StrAppend(&text, ", for ", For(step.since(), *now));
  }
  if (now != nullptr && step.has_left_us()) absl::StrAppend(&text, ", ", Left(step.left_us()));
  if (!step.waits_for().empty()) absl::StrAppend(&text, "; waits for: ", step.waits_for());
  return text;
}

Style StyleOf(v1::RolloutStep::Step step) {
  switch (step) {
    case v1::RolloutStep::CHANGED:
      return Style::kGood;
    case v1::RolloutStep::FAILED:
      return Style::kBad;
    case v1::RolloutStep::ABSENT:
      return Style::kDoubtful;
    default:
      return Style::kPlain;
  }
}

std::string StateOf(const v1::Snapshot& snapshot, const v1::Decision& decision,
                    const std::string& node) {
  v1::NodeState reported = v1::NODE_STATE_UNSPECIFIED;
  for (const v1::NodeSnapshot& known : snapshot.nodes()) {
    if (known.name() == node) reported = known.reported_state();
  }
  for (const v1::NodeAssignment& told : decision.assignments()) {
    if (told.node() == node) return StateText(told, reported);
  }
  return StateText(v1::NODE_STATE_UNSPECIFIED, reported, v1::ALLOW_UNSPECIFIED);
}

void PrintSteps(Terminal& terminal, const v1::Snapshot& snapshot, const v1::Decision& decision,
                Time now) {
  if (decision.rollout().nodes().empty()) return;
  std::vector<TableRow> rows;
  for (const v1::RolloutStep& step : decision.rollout().nodes()) {
    rows.push_back(
        {{step.node()},
         {StateOf(snapshot, decision, step.node())},
         {StepName(step.step()), StyleOf(step.step())},
         {step.has_since() ? For(step.since(), now) : "-"},
         {step.has_left_us() ? FormatSpan(std::chrono::microseconds(step.left_us())) : "-"},
         {step.waits_for()}});
  }
  terminal.out << "\n";
  PrintTable(terminal, {"NODE", "STATE", "STEP", "FOR", "LEFT", "WAITS FOR"}, rows);
}

// Of what was begun: who let it, and from where it comes; of what was given up, why.
std::string Origin(const v1::Rollout& rollout) {
  if (rollout.end() == v1::Rollout::WENT_BACK) {
    return absl::StrCat("begun and given up at ", FormatUtc(FromProto(rollout.ended_at())), ": ",
                        rollout.remarks(), "; connect-ha history");
  }
  std::vector<std::string> parts = {absl::StrCat("from generation ", rollout.from())};
  if (!rollout.applied_by().empty()) parts.push_back("applied by " + rollout.applied_by());
  if (!rollout.approved_by().empty()) parts.push_back("approved by " + rollout.approved_by());
  if (rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at()) {
    parts.push_back("all stopped at " + FormatUtc(FromProto(rollout.in_force_at())));
  }
  if (!rollout.first().empty()) parts.push_back(rollout.first() + " goes first");
  if (!rollout.remarks().empty()) parts.push_back(rollout.remarks());
  return absl::StrJoin(parts, "; ");
}

// What follows the first line of a reason, and what to type.
void PrintRest(Terminal& terminal, const RolloutStatus& rollout) {
  const std::vector<std::string> lines = ReasonLines(rollout);
  for (size_t i = 1; i < lines.size(); ++i) {
    terminal.out << Wrap("| " + Printable(lines[i]), terminal.width, kIndent);
  }
  for (const std::string& fix : rollout.fixes()) {
    terminal.out << Wrap("fix: " + Printable(fix), terminal.width, kIndent);
  }
}

// The one to come, beside one that is under way.
void PrintNext(Terminal& terminal, const RolloutStatus& next, Time now) {
  const std::string line =
      absl::StrCat("to come: generation ", next.generation(), ", ", LineOf(next, &now));
  terminal.out << "\n" << Paint(terminal, StyleOf(next), Wrap(Printable(line), terminal.width));
  PrintRest(terminal, next);
}

// What the reason and the fixes say already is not said again.
void PrintNeeds(Terminal& terminal, const RolloutStatus& change) {
  if (!change.has_outlook() || change.phase() == RolloutStatus::REFUSED) return;
  v1::Outlook outlook = change.outlook();
  if (!change.fixes().empty()) outlook.clear_needs();
  terminal.out << "\n";
  PrintOutlook(terminal, outlook);
}

// Of the latest that has ended.
std::string EndOf(const v1::Rollout& rollout) {
  std::string text = absl::StrCat("; the latest: generation ", rollout.generation(), ", ",
                                  Words(v1::Rollout::End_Name(rollout.end()), true));
  if (rollout.has_ended_at()) {
    absl::StrAppend(&text, " at ", FormatUtc(FromProto(rollout.ended_at())));
  }
  return text;
}

// Where no change is under way: what holds up the next one.
void PrintPauses(Terminal& terminal, const v1::GetPlanResponse& plan) {
  for (const v1::Word& word : plan.words()) {
    if (word.kind() != v1::Word::PAUSE) continue;
    terminal.out << Wrap(
        Printable(absl::StrCat("what is applied next waits: ", WordText(word), ", by ", word.by(),
                               word.reason().empty() ? "" : ": ", word.reason(),
                               "; to take it back: ", TakenBackBy(word))),
        terminal.width);
  }
}

void PrintNoChange(Terminal& terminal, const v1::GetPlanResponse& plan) {
  const v1::PlanMemory& memory = plan.decision().remember();
  std::string text = "no change is under way";
  if (memory.has_rollout() && memory.rollout().end() != v1::Rollout::END_UNSPECIFIED) {
    absl::StrAppend(&text, EndOf(memory.rollout()), "; connect-ha history");
  }
  terminal.out << Wrap(Printable(text), terminal.width);
  PrintPauses(terminal, plan);
}

}  // namespace

std::string RolloutKindName(v1::Rollout::Kind kind) {
  return Words(v1::Rollout::Kind_Name(kind), kind != v1::Rollout::KIND_UNSPECIFIED);
}

std::string PhaseName(RolloutStatus::Phase phase) {
  const PhaseRow* row = FindPhase(phase);
  return row == nullptr ? std::string("-") : std::string(row->name);
}

std::string StepName(v1::RolloutStep::Step step) {
  return Words(v1::RolloutStep::Step_Name(step), step != v1::RolloutStep::STEP_UNSPECIFIED);
}

bool IsChange(const RolloutStatus& rollout) {
  return rollout.phase() != RolloutStatus::PHASE_UNSPECIFIED &&
         rollout.phase() != RolloutStatus::DONE;
}

bool IsStopped(const RolloutStatus& rollout) {
  return rollout.standing() == RolloutStatus::HALTED || rollout.phase() == RolloutStatus::REFUSED ||
         rollout.phase() == RolloutStatus::ABORTED;
}

const RolloutStatus& NewestOf(const RolloutStatus& rollout) {
  return rollout.has_next() ? rollout.next() : rollout;
}

bool AwaitsApproval(const v1::GetPlanResponse& plan, const RolloutStatus& change) {
  if (change.phase() != RolloutStatus::AWAITING || change.outlook().needs().empty()) return false;
  // It is begun all the same, and waits on the way.
  if (change.kind() == v1::Rollout::ROLLING) return false;
  // The window is open, and something else is in the way, which may come by itself.
  const bool is_other =
      !change.fixes().empty() && !absl::StartsWith(change.fixes(0), "connect-ha approve");
  if (is_other && change.standing() == RolloutStatus::WAITS) return false;
  return std::none_of(plan.words().begin(), plan.words().end(), [&](const v1::Word& word) {
    return word.kind() == v1::Word::APPROVE && word.generation() == change.generation();
  });
}

std::string ApproveCommand(uint64_t generation) {
  return absl::StrCat("connect-ha approve ", generation, " --reason TEXT");
}

Cell RolloutCell(const RolloutStatus& rollout, Time now) {
  if (!IsChange(rollout)) return {""};
  return {absl::StrCat("generation ", rollout.generation(), ", ", LineOf(rollout, &now),
                       "; connect-ha rollout status"),
          StyleOf(rollout)};
}

std::string RolloutKey(const RolloutStatus& rollout) {
  if (!IsChange(rollout)) return "";
  return absl::StrCat("generation ", rollout.generation(), ", ", LineOf(rollout, nullptr), "\n",
                      RolloutKey(rollout.next()));
}

Cell StepCell(const v1::RolloutStep& step, Time now) {
  return {TextOf(step, &now), StyleOf(step.step())};
}

RolloutStatus WithoutEstimates(RolloutStatus rollout) {
  rollout.clear_left_us();
  for (v1::RolloutStep& step : *rollout.mutable_nodes()) step.clear_left_us();
  rollout.mutable_begun()->clear_nodes();
  if (rollout.has_next()) *rollout.mutable_next() = WithoutEstimates(rollout.next());
  return rollout;
}

std::vector<LiveLine> RolloutLines(const RolloutStatus& rollout, Time now) {
  std::vector<LiveLine> lines = {{absl::StrCat("generation ", rollout.generation()),
                                  {LineOf(rollout, &now), StyleOf(rollout)},
                                  LineOf(rollout, nullptr)}};
  if (rollout.has_begun()) {
    const std::string origin = Origin(rollout.begun());
    lines.push_back({"begun", {origin}, origin});
  }
  for (const v1::RolloutStep& step : rollout.nodes()) {
    lines.push_back({step.node(), StepCell(step, now), TextOf(step, nullptr)});
  }
  if (rollout.has_next()) {
    const RolloutStatus& next = rollout.next();
    lines.push_back({absl::StrCat("generation ", next.generation()),
                     {LineOf(next, &now), StyleOf(next)},
                     LineOf(next, nullptr)});
  }
  return lines;
}

void PrintRolloutLine(Terminal& terminal, const RolloutStatus& rollout, Time now) {
  const Cell cell = RolloutCell(rollout, now);
  if (cell.text.empty()) return;
  terminal.out << Paint(terminal, cell.style, Wrap(Printable(cell.text), terminal.width));
  PrintRolloutLine(terminal, rollout.next(), now);
}

void PrintRolloutReason(Terminal& terminal, const RolloutStatus& rollout) {
  if (rollout.reason().empty() && rollout.fixes().empty()) return;
  const std::string standing = StandingText(rollout);
  if (!standing.empty()) {
    terminal.out << Paint(terminal, StyleOf(rollout), Wrap(Printable(standing), terminal.width));
  }
  PrintRest(terminal, rollout);
}

void PrintRollout(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan,
                  Time now) {
  const RolloutStatus& rollout = plan.decision().rollout();
  if (rollout.phase() == RolloutStatus::PHASE_UNSPECIFIED) return PrintNoChange(terminal, plan);
  const std::string cluster = absl::StrCat("cluster ", snapshot.spec().cluster());
  std::vector<Cell> phrases = {{absl::StrCat("generation ", rollout.generation())},
                               {Where(rollout), StyleOf(rollout)}};
  if (rollout.has_since()) phrases.push_back({"for " + For(rollout.since(), now)});
  if (rollout.has_left_us()) phrases.push_back({Left(rollout.left_us())});
  PrintPhrases(terminal, {cluster, Style::kStrong}, phrases, Columns(cluster) + 3);
  if (rollout.has_begun()) terminal.out << Wrap(Printable(Origin(rollout.begun())), terminal.width);
  PrintSteps(terminal, snapshot, plan.decision(), now);
  if (!rollout.reason().empty() || !rollout.fixes().empty()) terminal.out << "\n";
  PrintRolloutReason(terminal, rollout);
  if (rollout.has_next()) PrintNext(terminal, rollout.next(), now);
  PrintNeeds(terminal, NewestOf(rollout));
  if (!IsChange(rollout)) PrintPauses(terminal, plan);
}

}  // namespace connect_ha
