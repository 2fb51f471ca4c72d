#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/plan/change/phases.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Lists the phases of a change of the cluster and how it can end: of which kinds of change each is, what is done in it, what every node is meanwhile and whether users are served, what ends it, what can go wrong, and what to type then. Needs no coordinator.)";

void PrintJson(Terminal& terminal) {
  v1::PhaseTable table;
  for (const PhaseRow& row : Phases()) {
    v1::PhaseDescription& phase = *table.add_phases();
    phase.set_phase(row.phase);
    phase.set_name(row.name);
    phase.set_kinds(row.kinds);
    phase.set_meaning(row.meaning);
    phase.set_nodes(row.nodes);
    phase.set_goes_on(row.goes_on);
    phase.set_fails(row.fails);
  }
  terminal.out << ToJson(table);
}

// Without the marks of Markdown.
Cell Plain(const char* text) { return {absl::StrReplaceAll(text, {{"`", ""}})}; }

// So much of each that no table holds it.
void PrintPhases(Terminal& terminal) {
  bool first = true;
  for (const PhaseRow& row : Phases()) {
    if (!first) terminal.out << "\n";
    first = false;
    terminal.out << Paint(terminal, Style::kStrong, row.name) << "   " << row.kinds << "\n";
    PrintTable(terminal, {},
               {{{""}, {"what", Style::kFaint}, Plain(row.meaning)},
                {{""}, {"nodes", Style::kFaint}, Plain(row.nodes)},
                {{""}, {"goes on", Style::kFaint}, Plain(row.goes_on)},
                {{""}, {"fails", Style::kFaint}, Plain(row.fails)}});
  }
}

int Run(const Arguments& arguments, Terminal& terminal) {
  if (arguments.Has("--markdown")) {
    terminal.out << PhasesMarkdown();
  } else if (IsJsonAsked(arguments)) {
    PrintJson(terminal);
  } else {
    PrintPhases(terminal);
  }
  return kHolds;
}

}  // namespace

Command RolloutPhasesCommand() {
  Command command = {"rollout phases", "", "List the phases of a change of the cluster",
                     kDescription};
  command.options = WithJson({{"--markdown", nullptr, "As a Markdown table"}});
  command.examples = {"connect-ha rollout phases", "connect-ha rollout phases --json"};
  command.run = Run;
  return command;
}

}  // namespace connect_ha
