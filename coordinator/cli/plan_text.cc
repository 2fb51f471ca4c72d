#include "coordinator/cli/plan_text.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text_table.h"

namespace connect_ha {
namespace {

void PrintPlan(Terminal& terminal, const std::vector<std::string>& nodes, const v1::Plan& plan) {
  const auto changes = static_cast<size_t>(plan.changes_size());
  std::string head = absl::StrJoin(nodes, ", ") + ": ";
  absl::StrAppend(&head, changes == 0 ? "nothing to change" : Count(changes, "change"));
  if (plan.troubles_size() > 0) {
    absl::StrAppend(&head, ", ", Count(static_cast<size_t>(plan.troubles_size()), "trouble"));
  }
  terminal.out << Wrap(Printable(head), terminal.width);
  std::vector<TableRow> rows;
  for (const v1::Change& change : plan.changes()) {
    std::string what = absl::StrCat(change.from(), " -> ", change.to());
    if (!change.interrupts().empty()) absl::StrAppend(&what, " (", change.interrupts(), ")");
    const Style style = change.interrupts().empty() ? Style::kPlain : Style::kDoubtful;
    rows.push_back({{""}, {change.resource()}, {what, style}});
  }
  PrintTable(terminal, {}, rows);
  constexpr int kIndent = 2;
  for (const v1::Trouble& trouble : plan.troubles()) {
    terminal.out << Wrap(
        Printable(absl::StrCat("trouble: ", trouble.resource(), ": ", trouble.error())),
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

void PrintPlans(Terminal& terminal, const v1::GetPlansResponse& plans) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> together;
  std::map<std::string, v1::Plan> same;
  std::vector<std::string> unheard;
  std::vector<std::string> silent;
  for (const v1::NodePlan& node : plans.nodes()) {
    if (!node.has_plan()) {
      (node.unreachable() ? unheard : silent).push_back(node.node());
      continue;
    }
    const std::string key = node.plan().SerializeAsString();
    if (together.count(key) == 0) order.push_back(key);
    together[key].push_back(node.node());
    same[key] = node.plan();
  }
  for (const std::string& key : order) PrintPlan(terminal, together[key], same[key]);
  PrintMissing(terminal, silent, "no answer in time");
  PrintMissing(terminal, unheard, "not heard; it changes when it is back");
}

PlanCounts CountPlans(const v1::GetPlansResponse& plans) {
  PlanCounts counts;
  for (const v1::NodePlan& node : plans.nodes()) {
    if (!node.has_plan()) {
      ++counts.unknown;
    } else if (node.plan().changes_size() > 0) {
      ++counts.changing;
    }
  }
  return counts;
}

}  // namespace connect_ha
