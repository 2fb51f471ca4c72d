#include "common/command/text_table.h"
#include "coordinator/cli/commands.h"
#include "coordinator/plan/states.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Lists the states that a node can be told to be: what each means, what becomes of Connect's unit, what the gate answers to the load balancer, and who may end it, and when. --dot has the ways between them, for graphviz. Needs no coordinator.)";

void PrintStates(Terminal& terminal) {
  std::vector<TableRow> rows;
  for (const StateRow& row : States()) {
    rows.push_back({{row.name}, {row.meaning}, {row.unit}, {row.gate}, {row.leaves}});
  }
  PrintTable(terminal, {"STATE", "MEANING", "CONNECT'S UNIT", "GATE", "WHO MAY END IT"}, rows);
}

int Run(const Arguments& arguments, Terminal& terminal) {
  if (arguments.Has("--markdown")) {
    terminal.out << StatesMarkdown();
  } else if (arguments.Has("--dot")) {
    terminal.out << StatesDot();
  } else {
    PrintStates(terminal);
  }
  return kHolds;
}

}  // namespace

Command StatesCommand() {
  Command command = {"states", "", "List the states of a node", kDescription};
  command.options = {{"--markdown", nullptr, "As a Markdown table"},
                     {"--dot", nullptr, "The ways between them, for graphviz"}};
  command.examples = {"connect-ha states", "connect-ha states --dot | dot -Tsvg > states.svg"};
  command.run = Run;
  return command;
}

}  // namespace connect_ha
