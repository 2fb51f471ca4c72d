#include "coordinator/cli/text/preview_text.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/command/text_table.h"

namespace connect_ha {
namespace {

constexpr int kIndent = 2;

void PrintPreview(Terminal& terminal, const std::vector<std::string>& nodes,
                  const v1::Preview& preview) {
  const auto changes = static_cast<size_t>(preview.changes_size());
  std::string head = absl::StrJoin(nodes, ", ") + ": ";
  absl::StrAppend(&head, changes == 0 ? "nothing to change" : Count(changes, "change"));
  if (preview.troubles_size() > 0) {
    absl::StrAppend(&head, ", ", Count(static_cast<size_t>(preview.troubles_size()), "problem"));
  }
  terminal.out << Wrap(Printable(head), terminal.width);
  std::vector<TableRow> rows;
  for (const v1::Change& change : preview.changes()) {
    std::string what = absl::StrCat(change.from(), " -> ", change.to());
    if (!change.interrupts().empty()) absl::StrAppend(&what, " (", change.interrupts(), ")");
    const Style style = change.interrupts().empty() ? Style::kPlain : Style::kDoubtful;
    rows.push_back({{""}, {change.resource()}, {what, style}});
  }
  PrintTable(terminal, {}, rows);
  for (const v1::Trouble& trouble : preview.troubles()) {
    terminal.out << Wrap(
        Printable(absl::StrCat("problem: ", trouble.resource(), ": ", trouble.error())),
        terminal.width, kIndent);
    if (!trouble.fix().empty()) {
      terminal.out << Wrap("fix: " + Printable(trouble.fix()), terminal.width, kIndent);
    }
  }
}

void PrintMissing(Terminal& terminal, const std::vector<std::string>& nodes,
                  const std::string& why) {
  if (nodes.empty()) return;
  terminal.out << Wrap(Printable(absl::StrCat(absl::StrJoin(nodes, ", "), ": not known: ", why)),
                       terminal.width);
}

}  // namespace

void PrintPreviews(Terminal& terminal, const v1::GetPreviewsResponse& previews) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> together;
  std::map<std::string, v1::Preview> same;
  std::vector<std::string> unheard;
  std::vector<std::string> silent;
  for (const v1::NodePreview& node : previews.nodes()) {
    if (!node.has_preview()) {
      (node.unreachable() ? unheard : silent).push_back(node.node());
      continue;
    }
    const std::string key = node.preview().SerializeAsString();
    if (together.count(key) == 0) order.push_back(key);
    together[key].push_back(node.node());
    same[key] = node.preview();
  }
  for (const std::string& key : order) PrintPreview(terminal, together[key], same[key]);
  PrintMissing(terminal, silent, "no answer in time");
  PrintMissing(terminal, unheard, "not heard; it changes when it comes back");
}

void PrintOutlook(Terminal& terminal, const v1::Outlook& outlook) {
  if (!outlook.refused().empty()) {
    terminal.out << Paint(terminal, Style::kBad,
                          Wrap(Printable("this is refused: " + outlook.refused()), terminal.width));
    if (outlook.fix().empty()) return;
    terminal.out << Wrap("fix: " + Printable(outlook.fix()), terminal.width, kIndent);
    return;
  }
  if (!outlook.text().empty()) {
    const bool whole =
        absl::StartsWith(outlook.text(), "this ") || absl::StartsWith(outlook.text(), "it ");
    terminal.out << Wrap(Printable((whole ? "" : "this needs: ") + outlook.text()), terminal.width);
  }
  for (const std::string& because : outlook.because()) {
    terminal.out << Wrap(Printable(because), terminal.width, kIndent);
  }
  if (!outlook.unknown().empty()) {
    terminal.out << Wrap(
        Printable(absl::StrCat("it may need more: ", absl::StrJoin(outlook.unknown(), ", "),
                               outlook.unknown_size() == 1 ? " has" : " have",
                               " not said what would change there")),
        terminal.width);
  }
  if (!outlook.needs().empty()) {
    terminal.out << Wrap(Printable(BeforeWhat(outlook) + NeedsText(outlook)), terminal.width);
  }
}

bool WaitsOnTheWay(const v1::Outlook& outlook) {
  return absl::EndsWith(outlook.needs(), " --allow-downtime");
}

std::string BeforeWhat(const v1::Outlook& outlook) {
  return WaitsOnTheWay(outlook) ? "before a node leaves service for it: " : "before it begins: ";
}

std::string NeedsText(const v1::Outlook& outlook) {
  const bool is_typed = absl::StrContains(outlook.needs(), "connect-ha approve");
  return absl::StrCat(outlook.needs(), is_typed ? " --reason TEXT" : "");
}

PreviewCounts CountPreviews(const v1::GetPreviewsResponse& previews) {
  PreviewCounts counts;
  for (const v1::NodePreview& node : previews.nodes()) {
    if (!node.has_preview()) {
      ++counts.unknown;
    } else if (node.preview().changes_size() > 0) {
      ++counts.changing;
    }
  }
  return counts;
}

}  // namespace connect_ha
