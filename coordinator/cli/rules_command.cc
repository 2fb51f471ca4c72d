#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_result.h"
#include "common/command/json.h"
#include "connect_ha/v1/rule.pb.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Lists the items of the checklist and where each comes from:
  HA   Connect Admin Guide, High Availability and Load Balancing, and its item
  RA   Connect on AWS, the load-balanced reference architecture
  DOC  another page of the Admin Guide
  OPS  a fault that operators report
The classes: data, a failure can corrupt or split data; service, users will notice; advice, worth knowing.

The actions are what is done where the item fails on a node that is known to be the wrong one, while the specification is enforced:
  fence  Connect is stopped and masked there: going on can corrupt
  close  the gate is closed and sessions drain; Connect runs on
  hold   it does not enter service; it leaves it while enough others serve without that fault
  tell   it is said
Only a cause acts, never what follows from it, and never what is unknown; the last node that serves stays. rules in cluster.yaml gives an item another action, but lowers no fence: that is for connect-ha waive, for a time. Needs no coordinator.)";

void PrintMarkdown(Terminal& terminal) {
  terminal.out << "| rule | what must hold | class | action | source |\n|---|---|---|---|---|\n";
  for (const Rule& rule : Rules()) {
    terminal.out << "| `" << rule.id << "` | " << rule.title << " | " << ClassName(rule.rule_class)
                 << " | " << ActionName(rule.action) << " | " << rule.source_item << " |\n";
  }
}

void PrintJson(Terminal& terminal) {
  v1::RuleTable table;
  for (const Rule& rule : Rules()) {
    v1::RuleDescription& row = *table.add_rules();
    row.set_rule(rule.id);
    row.set_title(rule.title);
    row.set_rule_class(rule.rule_class);
    row.set_source(rule.source_item);
    row.set_action(rule.action);
  }
  terminal.out << ToJson(table);
}

void PrintRules(Terminal& terminal) {
  std::vector<TableRow> rows;
  for (const Rule& rule : Rules()) {
    rows.push_back({{rule.id},
                    {ClassName(rule.rule_class)},
                    {ActionName(rule.action)},
                    {rule.source_item},
                    {rule.title}});
  }
  PrintTable(terminal, {"RULE", "CLASS", "ACTION", "SOURCE", "TITLE"}, rows);
  terminal.out << "\n"
               << Count(rows.size(), "rule") << "; one in full: connect-ha checklist --rule RULE\n";
}

int Run(const Arguments& arguments, Terminal& terminal) {
  const std::string format = arguments.Get("--output", "table");
  if (arguments.Has("--markdown")) {
    PrintMarkdown(terminal);
  } else if (format == "json") {
    PrintJson(terminal);
  } else {
    PrintRules(terminal);
  }
  return kHolds;
}

}  // namespace

Command RulesCommand() {
  Command command = {"rules", "", "List the items of the checklist", kDescription};
  command.options = {{"--markdown", nullptr, "As a Markdown table"},
                     {"--output", "FORMAT", "How to print it", "table|json"}};
  command.examples = {"connect-ha rules", "connect-ha rules --output json",
                      "connect-ha rules --markdown > rules.md"};
  command.run = Run;
  return command;
}

}  // namespace connect_ha
