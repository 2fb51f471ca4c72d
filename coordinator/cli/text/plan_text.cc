#include "coordinator/cli/text/plan_text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/verdict.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

using v1::Word;

constexpr char kReason[] = " --reason TEXT";

template <typename Node>
Cell ToldFor(const Node& node, const google::protobuf::Timestamp& now) {
  if (!node.has_assigned_since()) return {"-"};
  return {FormatSpan(FromProto(now) - FromProto(node.assigned_since()))};
}

std::string TextOf(const ToldNode& told) {
  if (told.waits_for.empty()) return told.reason;
  return absl::StrCat(told.reason, told.reason.empty() ? "" : "; ", "waits for: ", told.waits_for);
}

// "node-1", "clocks-are-synchronised on every node", "generation 8".
std::string SubjectOf(const Word& word) {
  if (word.generation() > 0) return absl::StrCat("generation ", word.generation());
  if (word.kind() == Word::PAUSE) return "every change";
  const std::string node = word.node().empty() ? "every node" : word.node();
  return word.rule().empty() ? node : absl::StrCat(word.rule(), " on ", node);
}

v1::Waiver WaiverOf(const Word& word) {
  v1::Waiver waiver;
  waiver.set_node(word.node());
  waiver.set_by(word.by());
  waiver.set_reason(word.reason());
  *waiver.mutable_until() = word.until();
  return waiver;
}

// Who lets a node out waives there all that fence.
std::vector<std::string> RulesWaivedBy(const Word& word, const v1::GetPlanResponse& plan) {
  if (word.kind() == Word::WAIVE) return {word.rule()};
  if (word.kind() != Word::UNFENCE) return {};
  return {plan.fencing().begin(), plan.fencing().end()};
}

std::string LineOf(const Word& word, Time now) {
  std::string line = absl::StrCat(word.by(), ", ", FormatSpan(now - FromProto(word.at())),
                                  " ago: ", word.reason());
  if (word.has_until()) {
    absl::StrAppend(&line, "; until ", FormatUtc(FromProto(word.until())));
  }
  const std::string back = TakenBackBy(word);
  return back.empty() ? line : absl::StrCat(line, "; to take it back: ", back);
}

bool KeepsOut(Word::Kind kind) {
  switch (kind) {
    case Word::CORDON:
    case Word::DRAIN:
    case Word::STOP:
    case Word::FENCE:
    case Word::RELEASE:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string ActionName(v1::RuleAction action) {
  return action == v1::RULE_ACTION_UNSPECIFIED ? std::string("-")
                                               : absl::AsciiStrToLower(v1::RuleAction_Name(action));
}

Cell ToldForCell(const v1::NodeSnapshot& node, const google::protobuf::Timestamp& now) {
  return ToldFor(node, now);
}

Cell ToldForCell(const v1::NodeBrief& node, const google::protobuf::Timestamp& now) {
  return ToldFor(node, now);
}

void PrintTold(Terminal& terminal, const std::vector<ToldNode>& told) {
  std::vector<std::pair<std::string, std::vector<std::string>>> lines;  // a text, and of whom
  for (const ToldNode& one : told) {
    const std::string text = TextOf(one);
    if (text.empty()) continue;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&text](const auto& line) { return line.first == text; });
    if (same == lines.end()) {
      lines.push_back({text, {one.node}});
    } else {
      same->second.push_back(one.node);
    }
  }
  if (lines.empty()) return;
  std::vector<TableRow> rows;
  rows.reserve(lines.size());
  for (const auto& line : lines) rows.push_back({{JoinNames(line.second)}, {line.first}});
  terminal.out << "\n";
  PrintTable(terminal, {}, rows);
}

void PrintNotInForce(Terminal& terminal, const v1::GetPlanResponse& plan) {
  constexpr int kIndent = 2;
  if (plan.broken().empty()) return;
  terminal.out << "\n"
               << Paint(terminal, Style::kBad,
                        Wrap("The newest decision is NOT IN FORCE; the one before stays:",
                             terminal.width));
  for (const std::string& broken : plan.broken()) {
    terminal.out << Wrap(Printable(broken), terminal.width, kIndent);
  }
}

void PrintSaid(Terminal& terminal, const v1::Decision& decision) {
  constexpr int kIndent = 2;
  if (!decision.said().empty()) terminal.out << "\n";
  for (const v1::Said& said : decision.said()) {
    const std::string of = said.node().empty() ? "cluster" : said.node();
    terminal.out << Paint(
        terminal, Style::kBad,
        Wrap(Printable(absl::StrCat("! ", of, ": ", said.text())), terminal.width));
    if (said.fix().empty()) continue;
    terminal.out << Wrap("fix: " + Printable(said.fix()), terminal.width, kIndent);
  }
}

std::string WordText(const Word& word) {
  std::string text = absl::AsciiStrToLower(Word::Kind_Name(word.kind()));
  if (!word.rule().empty()) absl::StrAppend(&text, " ", word.rule());
  if (word.generation() > 0) absl::StrAppend(&text, " generation ", word.generation());
  if (!word.version().empty()) absl::StrAppend(&text, " ", word.version());
  if (word.now()) absl::StrAppend(&text, ", now");
  if (word.downtime()) absl::StrAppend(&text, ", allowing downtime");
  if (word.has_until()) absl::StrAppend(&text, ", until ", FormatUtc(FromProto(word.until())));
  return text;
}

std::string TakenBackBy(const Word& word) {
  const std::string node = ShellOperand(word.node()) + kReason;
  switch (word.kind()) {
    case Word::CORDON:
    case Word::DRAIN:
      return "connect-ha node uncordon " + node;
    case Word::STOP:
      return "connect-ha node start " + node;
    case Word::FENCE:
      return "connect-ha node unfence " + node;
    case Word::UNFENCE:
      return "connect-ha node unfence --take-back " + node;
    case Word::RELEASE:
      return "connect-ha release --take-back " + node;
    case Word::GONE:
      return "connect-ha node gone --take-back " + node;
    case Word::APPROVE:
      return absl::StrCat("connect-ha approve ", word.generation(), " --take-back", kReason);
    case Word::PAUSE:
      return absl::StrCat("connect-ha rollout resume", kReason);
    case Word::ABORT:
      return absl::StrCat("connect-ha rollout resume ", word.generation(), kReason);
    case Word::WAIVE:
      return absl::StrCat("connect-ha waive ", ShellWord(word.rule()),
                          word.node().empty() ? "" : " --node " + ShellWord(word.node()),
                          " --take-back", kReason);
    default:
      return "";
  }
}

void PrintWords(Terminal& terminal, const v1::GetPlanResponse& plan, Time now) {
  if (plan.words().empty()) return;
  std::vector<TableRow> rows;
  for (const Word& word : plan.words()) {
    std::string kind = absl::AsciiStrToLower(Word::Kind_Name(word.kind()));
    if (word.now()) kind += ", now";
    if (word.downtime()) kind += ", allowing downtime";
    rows.push_back({{SubjectOf(word)}, {kind}, {LineOf(word, now)}});
  }
  terminal.out << "\n";
  PrintTable(terminal, {}, rows);
}

std::string WaiverText(const v1::Waiver& waiver) {
  return absl::StrCat("on ", waiver.node().empty() ? "every node" : waiver.node(), " until ",
                      FormatUtc(FromProto(waiver.until())), " by ", waiver.by(), ": ",
                      waiver.reason());
}

std::multimap<std::string, std::string> Waivers(const v1::GetPlanResponse& plan) {
  std::multimap<std::string, std::string> waivers;
  for (const Word& word : plan.words()) {
    for (const std::string& rule : RulesWaivedBy(word, plan)) {
      waivers.emplace(rule, WaiverText(WaiverOf(word)));
    }
  }
  return waivers;
}

void AddWaivers(const v1::GetPlanResponse& plan, v1::Checklist& checklist) {
  std::multimap<std::string, v1::Waiver> waivers;
  for (const Word& word : plan.words()) {
    for (const std::string& rule : RulesWaivedBy(word, plan)) {
      waivers.emplace(rule, WaiverOf(word));
    }
  }
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    const auto [first, last] = waivers.equal_range(finding.rule());
    for (auto waiver = first; waiver != last; ++waiver) *finding.add_waived() = waiver->second;
  }
}

std::vector<const Word*> HoldingWords(const v1::GetPlanResponse& plan, const std::string& node) {
  std::vector<const Word*> words;
  for (const Word& word : plan.words()) {
    if (KeepsOut(word.kind()) && word.node() == node) words.push_back(&word);
  }
  return words;
}

bool IsHeldByPerson(const v1::GetPlanResponse& plan, const std::string& node) {
  return !HoldingWords(plan, node).empty();
}

}  // namespace connect_ha
