#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_text.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/node_part.h"
#include "coordinator/cli/text/junit.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Says of every item of Connect's high-availability checklist whether it holds (pass), does not (FAIL), cannot be known (unknown) or does not apply (n/a), from what the nodes last reported. Below an item that does not pass: why, which node said what, and what to do.

With --refresh the nodes look again first, but not at what takes minutes: checksums of installed files, trial runs of interpreters and the licence's status are renewed when something there changes, and every ten minutes.

With --node an item is judged by what that node said and by what no single node did; other nodes do not count, and items in which it has no part are left out. Where two nodes differ, each may well be in order by itself: that the cluster is, only the whole checklist says.

Exit status: 1 when an item of class data or service fails, else 3 when one is unknown, else 0. Items of class advice are shown but do not count, unless --strict is given.

The junit format is for CI: a failure for FAIL, an error for unknown, skipped for n/a, and for advice that does not pass, unless --strict is given.)";

// What --rule and --node leave.
v1::Checklist Filter(const v1::Checklist& checklist, const Arguments& arguments) {
  const std::string rule = arguments.Get("--rule");
  v1::Checklist kept = checklist;
  if (!rule.empty()) {
    auto* findings = kept.mutable_findings();
    findings->erase(std::remove_if(findings->begin(), findings->end(),
                                   [&](const v1::Finding& f) { return f.rule() != rule; }),
                    findings->end());
  }
  return arguments.Has("--node") ? PartOfNode(kept, arguments.Get("--node")) : kept;
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

// "connect-ha checklist --rule RULE --node node-1"
std::string InFull(const Arguments& arguments) {
  return absl::StrCat(kMoreOfARule,
                      arguments.Has("--node") ? " --node " + arguments.Get("--node") : "");
}

void PrintTableFormat(Terminal& terminal, const v1::Checklist& checklist,
                      const Arguments& arguments, Time now) {
  terminal.out << Wrap(absl::StrCat("cluster ", checklist.cluster(), ", judged ",
                                    FormatUtc(FromProto(checklist.evaluated_at())),
                                    arguments.Has("--node") ? ": what is so of " : "",
                                    arguments.Get("--node")),
                       terminal.width)
               << "\n";
  PrintChecklist(terminal, checklist, now, InFull(arguments));
  terminal.out << "\n" << CountOutcomes(checklist) << "\n" << NextStep(checklist);
}

// One finding in full.
void PrintOne(Terminal& terminal, const v1::Finding& finding, const Arguments& arguments,
              Time now) {
  const Rule* rule = FindRule(finding.rule());
  const Cell outcome = OutcomeCell(finding.outcome());
  std::vector<TableRow> rows = {{{"rule"}, {finding.rule()}},
                                {{"holds"}, {finding.title()}},
                                {{"class"}, {ClassName(finding.rule_class())}}};
  if (rule != nullptr) rows.push_back({{"source"}, {rule->source_item}});
  if (arguments.Has("--node")) rows.push_back({{"node"}, {arguments.Get("--node")}});
  rows.push_back({{"result"}, outcome});
  PrintTable(terminal, {}, rows);
  terminal.out << "\n";
  PrintFindingDetails(terminal, finding, now, 0, true, InFull(arguments) + " --output json");
}

absl::Status CheckHasRule(const v1::Checklist& checklist, const std::string& rule) {
  if (rule.empty() || std::any_of(checklist.findings().begin(), checklist.findings().end(),
                                  [&](const v1::Finding& f) { return f.rule() == rule; })) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      "the coordinator's checklist has no such rule: its version is not that of this "
      "program; fix: connect-ha status");
}

// What no evidence is left of is not known to hold, so this is no pass.
absl::Status NothingSaid(const Arguments& arguments) {
  const std::string node = arguments.Get("--node");
  const std::string rule = arguments.Get("--rule");
  if (node.empty()) {
    return absl::UnknownError("the coordinator has judged nothing yet; fix: connect-ha status");
  }
  const std::string of_all = "; fix: see what is so of all nodes: connect-ha checklist";
  if (!rule.empty()) {
    return absl::UnknownError(absl::StrCat("no evidence of ", rule, " is ", node,
                                           "'s: whether it holds there is not known", of_all,
                                           " --rule ", rule));
  }
  return absl::UnknownError(absl::StrCat(
      "no evidence is ", node, "'s: nothing is known to fail there, nor to hold", of_all));
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
  if (const absl::Status has = CheckHasRule(*whole, arguments.Get("--rule")); !has.ok()) {
    return Fail(terminal, has);
  }
  v1::Checklist checklist = Filter(*whole, arguments);
  const std::string format = arguments.Get("--output", "table");
  if (format == "json") {
    terminal.out << ToJson(checklist);
  } else if (format == "junit") {
    terminal.out << ToJunit(checklist, strict);
  } else if (checklist.findings().empty()) {
    // said below
  } else if (arguments.Has("--rule")) {
    PrintOne(terminal, checklist.findings(0), arguments, environment.now());
  } else {
    PrintTableFormat(terminal, checklist, arguments, environment.now());
  }
  const int code = checklist.findings().empty() ? Fail(terminal, NothingSaid(arguments))
                                                : ChecklistExitCode(checklist, strict);
  checklist.clear_evaluated_at();
  key = checklist.SerializeAsString();
  return code;
}

}  // namespace

Command ChecklistCommand(const Environment& environment) {
  Command command = {"checklist", "", "Show which items of the checklist hold", kDescription};
  command.options =
      ShowOptions("table|json|junit",
                  {{"--node", "NODE", "Only this node, judged by its own evidence"},
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
