#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist_text.h"
#include "common/json.h"
#include "coordinator/checklist/rule.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/junit.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Says of every item of Connect's high-availability checklist whether it holds (pass), does not (FAIL), cannot be known (unknown) or does not apply (n/a), from what the nodes last reported. Below an item that does not pass: why, which node said what, and what to do.

With --refresh the nodes look again first, but not at what takes minutes: checksums of installed files, trial runs of interpreters and the licence's status are renewed when something there changes, and every ten minutes.

Exit status: 1 when an item of class data or service fails, else 3 when one is unknown, else 0. Items of class advice are shown but do not count, unless --strict is given.

The junit format is for CI: a failure for FAIL, an error for unknown, skipped for n/a, and for advice that does not pass, unless --strict is given.)";

bool About(const v1::Finding& finding, const std::string& node) {
  return std::any_of(finding.evidence().begin(), finding.evidence().end(),
                     [&](const v1::Evidence& e) { return e.node() == node; });
}

// What --rule and --node leave.
v1::Checklist Filter(v1::Checklist checklist, const Arguments& arguments) {
  const std::string rule = arguments.Get("--rule");
  const std::string node = arguments.Get("--node");
  v1::Checklist kept = checklist;
  kept.clear_findings();
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    if (!rule.empty() && finding.rule() != rule) continue;
    if (!node.empty()) {
      if (!About(finding, node)) continue;
      auto* evidence = finding.mutable_evidence();
      evidence->erase(std::remove_if(evidence->begin(), evidence->end(),
                                     [&](const v1::Evidence& e) { return e.node() != node; }),
                      evidence->end());
    }
    *kept.add_findings() = finding;
  }
  return kept;
}

// What to type when not everything passes.
std::string NextStep(const v1::Checklist& checklist) {
  bool fails = false;
  bool unknown = false;
  for (const v1::Finding& finding : checklist.findings()) {
    fails |= finding.outcome() == v1::FAIL;
    unknown |= finding.outcome() == v1::UNKNOWN;
  }
  if (fails) return "mend what fails, then: connect-ha checklist --refresh\n";
  return unknown ? "find out what is unknown, then: connect-ha checklist --refresh\n" : "";
}

void PrintTableFormat(Terminal& terminal, const v1::Checklist& checklist, Time now) {
  terminal.out << Wrap(absl::StrCat("cluster ", checklist.cluster(), ", judged ",
                                    FormatUtc(FromProto(checklist.evaluated_at()))),
                       terminal.width)
               << "\n";
  PrintChecklist(terminal, checklist, now);
  terminal.out << "\n" << CountOutcomes(checklist) << "\n" << NextStep(checklist);
}

// One finding in full.
void PrintOne(Terminal& terminal, const v1::Finding& finding, Time now) {
  const Rule* rule = FindRule(finding.rule());
  const Cell outcome = OutcomeCell(finding.outcome());
  std::vector<TableRow> rows = {{{"rule"}, {finding.rule()}},
                                {{"holds"}, {finding.title()}},
                                {{"class"}, {ClassName(finding.rule_class())}}};
  if (rule != nullptr) rows.push_back({{"source"}, {rule->source_item}});
  rows.push_back({{"result"}, outcome});
  PrintTable(terminal, {}, rows);
  terminal.out << "\n";
  PrintFindingDetails(terminal, finding, now, 0, true);
}

// The words for an exit code that the filter leaves nothing for.
absl::Status NothingFound(const Arguments& arguments) {
  if (arguments.Has("--node")) {
    return absl::NotFoundError(absl::StrCat("no finding has evidence of node \"",
                                            arguments.Get("--node"),
                                            "\"; fix: to see its state: connect-ha status"));
  }
  return absl::NotFoundError(
      "the coordinator's checklist has no such rule: its version is not that of this "
      "program; fix: connect-ha status");
}

int Render(const Environment& environment, const Arguments& arguments, AdminLink& admin,
           Terminal& terminal, std::string& key) {
  const bool strict = arguments.Has("--strict");
  if (arguments.Has("--node")) {
    const auto states = GetStates(admin);
    if (!states.ok()) return Fail(terminal, states.status());
    const absl::Status known = CheckNodes(*states, {arguments.Get("--node")});
    if (!known.ok()) return Fail(terminal, known);
  }
  const auto whole = admin.GetChecklist({});
  if (!whole.ok()) return Fail(terminal, whole.status());
  v1::Checklist checklist = Filter(*whole, arguments);
  if (checklist.findings().empty()) return Fail(terminal, NothingFound(arguments));
  const std::string format = arguments.Get("--output", "table");
  if (format == "json") {
    terminal.out << ToJson(checklist);
  } else if (format == "junit") {
    terminal.out << ToJunit(checklist, strict);
  } else if (arguments.Has("--rule")) {
    PrintOne(terminal, checklist.findings(0), environment.now());
  } else {
    PrintTableFormat(terminal, checklist, environment.now());
  }
  const int code = ChecklistExitCode(checklist, strict);
  checklist.clear_evaluated_at();
  key = checklist.SerializeAsString();
  return code;
}

}  // namespace

Command ChecklistCommand(const Environment& environment) {
  Command command = {"checklist", "", "Show which items of the checklist hold", kDescription};
  command.options =
      ShowOptions("table|json|junit",
                  {{"--node", "NODE", "Only what this node has a part in"},
                   {"--rule", "RULE",
                    "Only this item, in full; they are listed by: connect-ha rules", RuleIds()},
                   {"--strict", nullptr, "Advice counts like the rest"}});
  command.examples = {"connect-ha checklist", "connect-ha checklist --refresh --node node-2",
                      "connect-ha checklist --rule encryption-key-matches",
                      "connect-ha checklist --output junit > checklist.xml"};
  command.run = Showing(environment, [&environment](const Arguments& arguments, AdminLink& admin,
                                                    Terminal& terminal, std::string& key) {
    return Render(environment, arguments, admin, terminal, key);
  });
  return command;
}

}  // namespace connect_ha
