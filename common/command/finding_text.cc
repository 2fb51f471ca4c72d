#include "common/command/finding_text.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/verdict.h"
#include "common/command/checklist_result.h"
#include "common/command/fix_text.h"

namespace connect_ha {
namespace {

// Of the column of names; a longer one has a line of its own.
constexpr int kNarrowestName = 10;
constexpr int kWidestName = 24;

std::string Span(const google::protobuf::Timestamp& since, Time now) {
  return FormatSpan(now - FromProto(since));
}

// It fails, and not for as long as the whole finding, as far as a person is told.
bool HasOwnSince(const v1::Finding& finding, const v1::Evidence& evidence, Time now) {
  return evidence.outcome() == v1::FAIL && evidence.has_since() && finding.has_since() &&
         Span(evidence.since(), now) != Span(finding.since(), now);
}

// "/mnt/connect is a local ext4 (for 45s)"
std::string TextOf(const v1::Finding& finding, const v1::Evidence& evidence, Time now) {
  std::string text = evidence.text();
  if (evidence.outcome() == v1::UNKNOWN && finding.outcome() == v1::FAIL) {
    text = absl::StrCat("unknown: ", text);
  }
  if (HasOwnSince(finding, evidence, now)) {
    absl::StrAppend(&text, " (for ", Span(evidence.since(), now), ")");
  }
  return text;
}

std::string BasisText(const v1::Evidence& evidence) {
  switch (evidence.basis()) {
    case v1::SELF:
      return "seen on this node alone";
    case v1::SPEC:
      return "compared with the specification";
    case v1::PROOF:
      return "seen in what the nodes write and lock";
    case v1::PEERS:
      return evidence.undecided() ? "the nodes differ, and which is right cannot be seen from here"
                                  : "compared with the other nodes";
    default:
      return "";
  }
}

// What does not pass first, then what follows, then the rest, each in the rule's order.
std::vector<const v1::Evidence*> WorstFirst(const v1::Finding& finding) {
  std::vector<const v1::Evidence*> evidence;
  for (const v1::Evidence& line : finding.evidence()) evidence.push_back(&line);
  const auto rank = [](const v1::Evidence* line) {
    if (line->outcome() == v1::FAIL) return 0;
    if (line->outcome() == v1::UNKNOWN) return 1;
    return line->outcome() == v1::FOLLOWS ? 2 : 3;
  };
  std::stable_sort(
      evidence.begin(), evidence.end(),
      [&rank](const v1::Evidence* a, const v1::Evidence* b) { return rank(a) < rank(b); });
  return evidence;
}

int NameColumns(const std::vector<Said>& lines, int width) {
  const int widest = std::min(kWidestName, width / 3);
  int columns = kNarrowestName;
  for (const Said& said : lines) {
    const int name = Columns(Printable(WhoSays(said))) + 3;
    if (name <= widest) columns = std::max(columns, name);
  }
  return columns;
}

// Somebody may name five hundred nodes in one breath.
std::string Shortened(const std::string& text, const std::string& in_full) {
  constexpr size_t kMostBytes = 400;
  if (text.size() <= kMostBytes) return text;
  return absl::StrCat(text.substr(0, text.rfind(' ', kMostBytes)), " ... in full: ", in_full);
}

void PrintSaid(Terminal& terminal, const std::string& who, const std::string& text, int indent,
               int text_at) {
  const std::string name = Printable(who);
  std::string line(static_cast<size_t>(indent), ' ');
  line += name;
  const int gap = text_at - Columns(line);
  std::string wrapped = Wrap(Printable(text), terminal.width, text_at);
  if (gap < 2) {
    terminal.out << line << "\n" << wrapped;
    return;
  }
  if (wrapped.size() > static_cast<size_t>(text_at)) {
    wrapped.erase(0, static_cast<size_t>(text_at));
  }
  terminal.out << line << std::string(static_cast<size_t>(gap), ' ') << wrapped;
}

std::string FullText(const v1::Evidence& evidence, Time now) {
  std::string text = evidence.text();
  std::string beside = BasisText(evidence);
  if (evidence.has_since() && !IsRight(evidence.outcome()) && evidence.outcome() != v1::FOLLOWS) {
    absl::StrAppend(&beside, beside.empty() ? "" : ", ", "for ", Span(evidence.since(), now));
  }
  if (!beside.empty()) absl::StrAppend(&text, " (", beside, ")");
  return text;
}

}  // namespace

std::string WhoSays(const Said& said) {
  return said.nodes.empty() ? "cluster" : JoinNames(said.nodes);
}

std::vector<Said> WhatIsWrong(const v1::Finding& finding, Time now) {
  std::vector<Said> lines;
  std::map<std::string, size_t> index;
  bool undecided = false;
  for (const v1::Evidence* evidence : WorstFirst(finding)) {
    if (evidence->outcome() != v1::FAIL && evidence->outcome() != v1::UNKNOWN) continue;
    undecided |= evidence->undecided();
    const std::string text = TextOf(finding, *evidence, now);
    const std::string key = absl::StrCat(evidence->node().empty() ? "cluster" : "node", "\n", text);
    const auto [it, is_new] = index.emplace(key, lines.size());
    if (is_new) lines.push_back({{}, text});
    auto& nodes = lines[it->second].nodes;
    if (evidence->node().empty() || (!nodes.empty() && nodes.back() == evidence->node())) continue;
    nodes.push_back(evidence->node());
  }
  if (undecided) {
    lines.insert(lines.begin(),
                 {{}, "the nodes differ, and which is right cannot be seen from here"});
  }
  if (lines.empty()) lines.push_back({{}, finding.summary()});
  return lines;
}

std::string HowLong(const v1::Finding& finding, Time now) {
  if (!finding.has_since()) return "";
  return absl::StrCat("for ", Span(finding.since(), now),
                      finding.has_last_known()
                          ? absl::StrCat(", ", OutcomeCell(finding.last_known()).text, " before")
                          : "");
}

void PrintDetails(Terminal& terminal, const v1::Finding& finding, Time now, int indent,
                  const std::string& in_full) {
  const std::vector<Said> lines = WhatIsWrong(finding, now);
  const int text_at = indent + NameColumns(lines, terminal.width);
  const size_t shown = std::min(lines.size(), kMostEvidence);
  for (size_t i = 0; i < shown; ++i) {
    PrintSaid(terminal, WhoSays(lines[i]), Shortened(lines[i].text, in_full), indent, text_at);
  }
  if (shown < lines.size()) {
    terminal.out << Wrap(absl::StrCat("and ", lines.size() - shown, " more: ", in_full),
                         terminal.width, indent);
  }
  PrintFixes(terminal, finding.fixes(), indent, indent + kNarrowestName, kMostSteps, in_full);
}

void PrintInFull(Terminal& terminal, const v1::Finding& finding, Time now,
                 const std::string& in_full) {
  const std::vector<const v1::Evidence*> evidence = WorstFirst(finding);
  const size_t shown = std::min(evidence.size(), kMostEvidenceInFull);
  std::vector<TableRow> rows;
  for (size_t i = 0; i < shown; ++i) {
    const v1::Evidence& line = *evidence[i];
    rows.push_back({{line.node().empty() ? "cluster" : line.node()},
                    OutcomeCell(line.outcome()),
                    {FullText(line, now)}});
  }
  if (rows.empty()) {
    terminal.out << Wrap(Printable(finding.summary()), terminal.width);
  } else {
    PrintTable(terminal, {}, rows);
  }
  if (shown < evidence.size()) {
    terminal.out << Wrap(absl::StrCat("and ", evidence.size() - shown, " more: ", in_full),
                         terminal.width);
  }
  if (finding.fixes().empty()) return;
  terminal.out << "\n";
  PrintFixes(terminal, finding.fixes(), 0, 4, kMostEvidenceInFull, in_full);
}

}  // namespace connect_ha
