#include "common/command/checklist_text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_blocks.h"
#include "common/command/fix_text.h"

namespace connect_ha {
namespace {

constexpr int kLabelColumns = 6;  // "FAIL  "
constexpr int kNameColumns = 10;  // and who says it
constexpr size_t kMostNames = 3;

std::string InFull(const ChecklistView& view, const std::string& rule) {
  return absl::StrReplaceAll(view.in_full, {{"RULE", rule}});
}

std::string NamesOf(const Block& block) {
  if (block.findings.size() > kMostNames) return Count(block.findings.size(), "item");
  return absl::StrJoin(block.findings, ", ", [](std::string* out, const v1::Finding* finding) {
    out->append(finding->rule());
  });
}

// Of several, what holds of all of them.
std::string SpanOf(const Block& block, Time now) {
  const std::string span = HowLong(block.shown, now);
  const bool same =
      std::all_of(block.findings.begin(), block.findings.end(),
                  [&](const v1::Finding* finding) { return HowLong(*finding, now) == span; });
  return same ? span : "";
}

Cell Label(v1::Outcome outcome) {
  const Cell cell = OutcomeCell(outcome);
  return {outcome == v1::UNKNOWN ? "?" : cell.text, cell.style};
}

std::vector<Cell> Heading(const Block& block, Time now) {
  constexpr size_t kClassColumns = 7;
  std::string name = ClassName(block.WorstClass());
  name.resize(std::max(name.size(), kClassColumns), ' ');
  std::vector<Cell> phrases = {{name}, {NamesOf(block), Style::kStrong}};
  if (const std::string span = SpanOf(block, now); !span.empty()) phrases.push_back({span});
  if (block.followers > 0) {
    phrases.push_back({absl::StrCat(Count(block.followers, "item"),
                                    block.followers == 1 ? " follows" : " follow")});
  }
  return phrases;
}

// The whole block in one line, where that fits.
bool PrintInOneLine(Terminal& terminal, const Block& block, Time now) {
  if (block.shown.outcome() != v1::UNKNOWN) return false;
  const std::vector<Said> lines = WhatIsWrong(block.shown, now);
  size_t left_out = 0;
  const std::vector<FixLine> steps = FixLines(block.shown.fixes(), 0, &left_out);
  if (lines.size() > 1 || steps.size() > 1) return false;
  std::vector<Cell> phrases = Heading(block, now);
  phrases.push_back({lines[0].nodes.empty() ? lines[0].text
                                            : absl::StrCat(WhoSays(lines[0]), " ", lines[0].text)});
  for (const FixLine& step : steps) {
    std::string text = absl::StrCat("do  ", step.where, step.command, step.words);
    if (!step.remark.text.empty()) absl::StrAppend(&text, "   ", step.remark.text);
    phrases.push_back({text});
  }
  if (PhraseColumns(phrases) + kLabelColumns > terminal.width) return false;
  PrintPhrases(terminal, Label(v1::UNKNOWN), phrases, kLabelColumns);
  return true;
}

// What helps to know more, where it takes more than a line and nothing waits for it, is said where
// the item is shown in full.
void ShortenSteps(const Terminal& terminal, const Block& block, const std::string& in_full,
                  v1::Finding& shown) {
  if (shown.outcome() != v1::UNKNOWN || block.followers > 0) return;
  size_t left_out = 0;
  const std::vector<FixLine> steps = FixLines(shown.fixes(), 0, &left_out);
  int columns = kLabelColumns + kNameColumns;
  for (const FixLine& step : steps) {
    columns += Columns(step.where) + Columns(step.command) + Columns(step.words);
  }
  if (steps.empty() || (steps.size() == 1 && columns <= terminal.width)) return;
  shown.clear_fixes();
  shown.add_fixes()->add_commands(in_full);
}

void PrintWaived(Terminal& terminal, const std::string& rule, const ChecklistView& view,
                 int indent) {
  const auto range = view.waived.equal_range(rule);
  for (auto waiver = range.first; waiver != range.second; ++waiver) {
    terminal.out << Wrap(Printable("waived " + waiver->second), terminal.width, indent);
  }
}

void PrintOnLines(Terminal& terminal, const Block& block, const ChecklistView& view) {
  const std::string in_full = InFull(view, block.shown.rule());
  v1::Finding shown = block.shown;
  ShortenSteps(terminal, block, in_full, shown);
  PrintPhrases(terminal, Label(shown.outcome()), Heading(block, view.now), kLabelColumns);
  PrintDetails(terminal, shown, view.now, kLabelColumns, in_full);
}

void PrintBlock(Terminal& terminal, const Block& block, const ChecklistView& view) {
  if (!PrintInOneLine(terminal, block, view.now)) PrintOnLines(terminal, block, view);
  for (const v1::Finding* finding : block.findings) {
    PrintWaived(terminal, finding->rule(), view, kLabelColumns);
  }
}

// It follows for some nodes, and passes for all others.
bool PassesElsewhere(const v1::Finding& finding) {
  return finding.outcome() == v1::FOLLOWS &&
         std::any_of(finding.evidence().begin(), finding.evidence().end(),
                     [](const v1::Evidence& evidence) { return evidence.outcome() == v1::PASS; });
}

size_t CountOf(const v1::Checklist& checklist, v1::Outcome outcome) {
  return static_cast<size_t>(
      std::count_if(checklist.findings().begin(), checklist.findings().end(),
                    [&](const v1::Finding& finding) { return finding.outcome() == outcome; }));
}

void PrintWhatPasses(Terminal& terminal, const v1::Checklist& checklist,
                     const ChecklistView& view) {
  const size_t passing = CountOf(checklist, v1::PASS);
  const auto elsewhere = static_cast<size_t>(
      std::count_if(checklist.findings().begin(), checklist.findings().end(), PassesElsewhere));
  std::string text = Count(passing, "item");
  if (elsewhere > 0) {
    absl::StrAppend(&text, ", and ", elsewhere, " more on every node where they could be judged");
  }
  PrintPhrases(terminal, {"ok", Style::kGood}, {{absl::StrCat(text, ": ", view.all)}},
               kLabelColumns);
}

void PrintFirstLine(Terminal& terminal, const v1::Checklist& checklist, const ChecklistView& view) {
  std::vector<Cell> phrases;
  for (size_t i = 1; i < view.about.size(); ++i) phrases.push_back({view.about[i]});
  const std::pair<v1::Outcome, const char*> kWords[] = {{v1::FAIL, "FAIL"},
                                                        {v1::UNKNOWN, "unknown"},
                                                        {v1::FOLLOWS, "follow"},
                                                        {v1::PASS, "ok"},
                                                        {v1::NOT_APPLICABLE, "n/a"}};
  for (const auto& [outcome, word] : kWords) {
    const size_t count = CountOf(checklist, outcome);
    if (count == 0) continue;
    phrases.push_back({absl::StrCat(word, " ", count), OutcomeCell(outcome).style});
  }
  const std::string first = view.about.empty() ? "checklist" : view.about[0];
  PrintPhrases(terminal, {first, Style::kStrong}, phrases, Columns(Printable(first)) + 3);
}

// "storage"; of a rule that this program does not know, "other".
std::string GroupOf(const v1::Finding& finding) {
  const Rule* rule = FindRule(finding.rule());
  return rule == nullptr ? "other" : rule->group;
}

void PrintGroup(Terminal& terminal, const std::string& group, const v1::Checklist& checklist,
                const std::vector<TableRow>& rows, const ChecklistView& view,
                const std::vector<int>& widths) {
  constexpr int kIndent = 9;  // below the class
  bool first = true;
  std::string above;  // the key of the last one that does not pass
  for (int i = 0; i < checklist.findings_size(); ++i) {
    const v1::Finding& finding = checklist.findings(i);
    if (GroupOf(finding) != group) continue;
    if (std::exchange(first, false)) {
      terminal.out << "\n" << Paint(terminal, Style::kStrong, group) << "\n";
    }
    PrintRow(terminal, rows[static_cast<size_t>(i)], widths);
    PrintWaived(terminal, finding.rule(), view, kIndent);
    if (IsRight(finding.outcome())) continue;
    const bool follows = finding.outcome() == v1::FOLLOWS;
    const std::string key = follows ? finding.summary() : KeyOf(finding, view.now);
    if (key == above) {
      if (follows) continue;
      terminal.out << std::string(kIndent, ' ') << "as above\n";
    } else if (follows) {
      terminal.out << Wrap(Printable(finding.summary()), terminal.width, kIndent);
    } else {
      PrintDetails(terminal, finding, view.now, kIndent, InFull(view, finding.rule()));
    }
    above = key;
  }
}

}  // namespace

std::string NodesAndServing(const v1::Checklist& checklist) {
  if (checklist.nodes() == 0) return "";
  return absl::StrCat(Count(checklist.nodes(), "node"), ", ", checklist.serving(), " serving");
}

std::string JudgedAgo(const v1::Checklist& checklist, Time now) {
  return absl::StrCat("judged ", FormatSpan(now - FromProto(checklist.evaluated_at())), " ago");
}

void PrintChecklist(Terminal& terminal, const v1::Checklist& checklist, const ChecklistView& view) {
  PrintFirstLine(terminal, checklist, view);
  terminal.out << "\n";
  for (const Block& block : MakeBlocks(checklist, view.now)) PrintBlock(terminal, block, view);
  PrintWhatPasses(terminal, checklist, view);
}

void PrintWholeChecklist(Terminal& terminal, const v1::Checklist& checklist,
                         const ChecklistView& view) {
  PrintFirstLine(terminal, checklist, view);
  std::vector<TableRow> rows;
  for (const v1::Finding& finding : checklist.findings()) {
    rows.push_back({OutcomeCell(finding.outcome()),
                    {ClassName(finding.rule_class())},
                    {finding.rule()},
                    {finding.title()}});
  }
  const std::vector<int> widths = ColumnWidths(terminal, rows);
  for (const char* group :
       {"cluster", "Connect", "configuration", "database", "storage", "runtimes", "other"}) {
    PrintGroup(terminal, group, checklist, rows, view, widths);
  }
}

void PrintOneFinding(Terminal& terminal, const v1::Finding& finding, const ChecklistView& view) {
  const Rule* rule = FindRule(finding.rule());
  std::vector<TableRow> rows;
  for (const std::string& about : view.about) {
    const size_t space = about.find(' ');
    rows.push_back({{about.substr(0, space)}, {about.substr(space + 1)}});
  }
  rows.push_back({{"rule"}, {finding.rule(), Style::kStrong}});
  rows.push_back({{"title"}, {finding.title()}});
  rows.push_back({{"class"}, {ClassName(finding.rule_class())}});
  if (rule != nullptr) rows.push_back({{"source"}, {rule->source_item}});
  Cell result = OutcomeCell(finding.outcome());
  if (const std::string span = HowLong(finding, view.now); !span.empty()) {
    absl::StrAppend(&result.text, " ", span);
  }
  rows.push_back({{"result"}, result});
  const auto range = view.waived.equal_range(finding.rule());
  for (auto waiver = range.first; waiver != range.second; ++waiver) {
    rows.push_back({{"waived"}, {waiver->second}});
  }
  PrintTable(terminal, {}, rows);
  terminal.out << "\n";
  PrintInFull(terminal, finding, view.now, InFull(view, finding.rule()) + " --output json");
}

}  // namespace connect_ha
