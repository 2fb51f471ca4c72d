#include "common/command/checklist_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

bool Passes(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

std::string Label(v1::Outcome outcome) {
  switch (outcome) {
    case v1::PASS:
      return "pass";
    case v1::FAIL:
      return "FAIL";
    case v1::NOT_APPLICABLE:
      return "n/a";
    default:
      return "unknown";
  }
}

// What does not pass first, each group in the rule's order.
std::vector<v1::Evidence> WorstFirst(const v1::Finding& finding) {
  std::vector<v1::Evidence> evidence(finding.evidence().begin(), finding.evidence().end());
  std::stable_partition(evidence.begin(), evidence.end(),
                        [](const v1::Evidence& e) { return !Passes(e.outcome()); });
  return evidence;
}

std::string Words(const v1::Evidence& evidence) {
  return absl::StrCat(evidence.node().empty() ? "cluster" : evidence.node(), ": ", evidence.text());
}

// The text of the evidence that the summary says, each node named: "node-1, node-2: text". None
// where it says more than that, or names not all.
std::optional<std::string> TextOfSummary(const v1::Finding& finding) {
  const auto decides = [&](const v1::Evidence& e) { return e.outcome() == finding.outcome(); };
  const auto first = std::find_if(finding.evidence().begin(), finding.evidence().end(), decides);
  if (first == finding.evidence().end()) return std::nullopt;
  std::set<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (decides(evidence) && evidence.text() == first->text()) nodes.insert(evidence.node());
  }
  const std::string names = absl::StrJoin(nodes, ", ");
  if (finding.summary() != absl::StrCat(names, names.empty() ? "" : ": ", first->text())) {
    return std::nullopt;
  }
  return first->text();
}

std::string Span(const google::protobuf::Timestamp& since, Time now) {
  return FormatSpan(now - FromProto(since));
}

// It fails, and not for as long as the whole finding, as far as a person is told.
bool HasOwnSince(const v1::Finding& finding, const v1::Evidence& evidence, Time now) {
  return evidence.outcome() == v1::FAIL && evidence.has_since() && finding.has_since() &&
         Span(evidence.since(), now) != Span(finding.since(), now);
}

// The worst first; unless `all`, without what the summary says.
std::vector<v1::Evidence> ToShow(const v1::Finding& finding, Time now, bool all) {
  std::vector<v1::Evidence> evidence = WorstFirst(finding);
  const std::optional<std::string> said = TextOfSummary(finding);
  if (all || !said) return evidence;
  evidence.erase(std::remove_if(evidence.begin(), evidence.end(),
                                [&](const v1::Evidence& e) {
                                  return e.outcome() == finding.outcome() && e.text() == *said &&
                                         !HasOwnSince(finding, e, now);
                                }),
                 evidence.end());
  return evidence;
}

// "node-1: /mnt/connect is a local ext4 (for 45s)"
std::string LineOf(const v1::Finding& finding, const v1::Evidence& evidence, Time now) {
  std::string line = Words(evidence);
  if (HasOwnSince(finding, evidence, now)) {
    absl::StrAppend(&line, " (for ", Span(evidence.since(), now), ")");
  }
  return line;
}

void PrintEvidence(Terminal& terminal, const v1::Finding& finding, Time now, int indent, bool all,
                   const std::string& more) {
  constexpr size_t kOutcomeWidth = 9;
  const std::vector<v1::Evidence> evidence = ToShow(finding, now, all);
  const size_t shown = std::min(evidence.size(), all ? kMostEvidenceInFull : kMostEvidence);
  for (size_t i = 0; i < shown; ++i) {
    const Cell outcome = OutcomeCell(evidence[i].outcome());
    const size_t text_at = static_cast<size_t>(indent) + 2 + kOutcomeWidth;
    const std::string text = Wrap(Printable(LineOf(finding, evidence[i], now)), terminal.width,
                                  static_cast<int>(text_at));
    terminal.out << std::string(static_cast<size_t>(indent) + 2, ' ')
                 << Paint(terminal, outcome.style, outcome.text)
                 << std::string(kOutcomeWidth - outcome.text.size(), ' ') << text.substr(text_at);
  }
  if (shown < evidence.size()) {
    terminal.out << Wrap(absl::StrCat("and ", evidence.size() - shown, " more: ",
                                      absl::StrReplaceAll(more, {{"RULE", finding.rule()}})),
                         terminal.width, indent + 2);
  }
}

// Each line of a fix is a step of its own.
void PrintFix(Terminal& terminal, const std::string& fix, int indent) {
  std::string label = Paint(terminal, Style::kStrong, "fix:") + " ";
  for (const absl::string_view step : absl::StrSplit(fix, '\n', absl::SkipEmpty())) {
    const auto text_at = static_cast<size_t>(indent) + 5;
    const std::string text = Wrap(Printable(std::string(step)), terminal.width, indent + 5);
    if (text.size() <= text_at) continue;
    terminal.out << std::string(static_cast<size_t>(indent), ' ') << label << text.substr(text_at);
    label = "     ";
  }
}

// One node that is not heard makes many findings say the same.
bool SameDetails(const v1::Finding& a, const v1::Finding& b) {
  const auto details = [](const v1::Finding& finding) {
    v1::Finding rest;
    rest.set_summary(finding.summary());
    for (const v1::Evidence& evidence : finding.evidence()) {
      v1::Evidence& line = *rest.add_evidence();
      line.set_node(evidence.node());
      line.set_outcome(evidence.outcome());
      line.set_text(evidence.text());
    }
    return rest.SerializeAsString();
  };
  return details(a) == details(b);
}

}  // namespace

Cell OutcomeCell(v1::Outcome outcome) {
  switch (outcome) {
    case v1::PASS:
      return {Label(outcome), Style::kGood};
    case v1::FAIL:
      return {Label(outcome), Style::kBad};
    case v1::NOT_APPLICABLE:
      return {Label(outcome), Style::kFaint};
    default:
      return {Label(outcome), Style::kDoubtful};
  }
}

std::string ClassName(v1::RuleClass rule_class) {
  switch (rule_class) {
    case v1::DATA:
      return "data";
    case v1::SERVICE:
      return "service";
    case v1::ADVICE:
      return "advice";
    default:
      return "unknown";
  }
}

bool Decides(const v1::Finding& finding, bool strict) {
  return strict || finding.rule_class() != v1::ADVICE;
}

int ChecklistExitCode(const v1::Checklist& checklist, bool strict) {
  int code = kHolds;
  for (const v1::Finding& finding : checklist.findings()) {
    if (!Decides(finding, strict) || Passes(finding.outcome())) continue;
    if (finding.outcome() == v1::FAIL) return kFails;
    code = kUnknown;
  }
  return code;
}

void PrintFindingDetails(Terminal& terminal, const v1::Finding& finding, Time now, int indent,
                         bool all_evidence, const std::string& more) {
  std::string summary = finding.summary();
  if (finding.has_since()) {
    absl::StrAppend(&summary, " (for ", Span(finding.since(), now),
                    finding.has_last_known() ? ", " + Label(finding.last_known()) + " before" : "",
                    ")");
  }
  terminal.out << Wrap(Printable(summary), terminal.width, indent);
  PrintEvidence(terminal, finding, now, indent, all_evidence, more);
  PrintFix(terminal, std::string(), indent);
}

std::string CountOutcomes(const v1::Checklist& checklist) {
  std::map<std::string, size_t> counts;
  for (const v1::Finding& finding : checklist.findings()) ++counts[Label(finding.outcome())];
  const std::pair<const char*, const char*> kWords[] = {
      {"pass", "pass"}, {"FAIL", "fail"}, {"unknown", "unknown"}, {"n/a", "not applicable"}};
  std::vector<std::string> parts;
  for (const auto& [label, words] : kWords) {
    if (counts[label] > 0) parts.push_back(absl::StrCat(counts[label], " ", words));
  }
  return parts.empty() ? "no findings" : absl::StrJoin(parts, ", ");
}

void PrintChecklist(Terminal& terminal, const v1::Checklist& checklist, Time now,
                    const std::string& more) {
  constexpr int kIndent = 9;  // below the class
  std::vector<TableRow> rows = {{{"RESULT", Style::kFaint},
                                 {"CLASS", Style::kFaint},
                                 {"RULE", Style::kFaint},
                                 {"WHAT MUST HOLD", Style::kFaint}}};
  for (const v1::Finding& finding : checklist.findings()) {
    rows.push_back({OutcomeCell(finding.outcome()),
                    {ClassName(finding.rule_class())},
                    {finding.rule()},
                    {finding.title()}});
  }
  const std::vector<int> widths = ColumnWidths(terminal, rows);
  PrintRow(terminal, rows[0], widths);
  const v1::Finding* above = nullptr;  // the last one that does not pass
  for (int i = 0; i < checklist.findings_size(); ++i) {
    PrintRow(terminal, rows[static_cast<size_t>(i) + 1], widths);
    const v1::Finding& finding = checklist.findings(i);
    if (Passes(finding.outcome())) continue;
    if (above != nullptr && SameDetails(*above, finding)) {
      terminal.out << std::string(kIndent, ' ') << "as above\n";
    } else {
      PrintFindingDetails(terminal, finding, now, kIndent, false, more);
    }
    above = &finding;
  }
}

}  // namespace connect_ha
