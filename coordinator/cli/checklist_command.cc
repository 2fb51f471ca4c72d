#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_text.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/node_part.h"
#include "coordinator/cli/text/junit.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows what of Connect's high-availability checklist does not hold, the most urgent first, with what each node said and what to do about it; what passes is only counted. FAIL: it does not hold. ?: it cannot be known. An item that cannot be judged because another one fails or is unknown follows from that one: it is counted there, and only the cause is shown. What is waived (connect-ha waive) is judged and shown all the same, with until when; it only does nothing.

--all shows every item, in groups; --rule one item in full, node by node.

With --refresh the nodes look again first, except at what takes minutes: checksums of installed files, smoke runs of R, Python and Quarto, and the licence's status are renewed when something there changes, and every ten minutes; smoke runs that passed, once a day.

With --node only that node's own evidence counts, and what is so of the cluster as a whole. Two nodes may each be in order and still differ: whether the cluster is in order, only the whole checklist says.

Exit status: 1 when an item of class data or service fails, else 3 when one is unknown, else 0. An item that follows counts as its cause where --rule or --node hides the cause. Items of class advice are shown but do not count, unless --strict is given.

The junit format is for CI: FAIL is a failure, unknown an error; n/a, what follows, and advice that does not pass (unless --strict is given) are skipped.)";

// What --rule leaves.
v1::Checklist OnlyRule(const v1::Checklist& checklist, const std::string& rule) {
  if (rule.empty()) return checklist;
  v1::Checklist kept = checklist;
  auto* findings = kept.mutable_findings();
  findings->erase(std::remove_if(findings->begin(), findings->end(),
                                 [&](const v1::Finding& f) { return f.rule() != rule; }),
                  findings->end());
  return kept;
}

ChecklistView View(const v1::Checklist& checklist, const v1::GetPlanResponse& plan,
                   const Arguments& arguments, Time now) {
  ChecklistView view;
  view.now = now;
  view.waived = Waivers(plan);
  view.about = {absl::StrCat("cluster ", checklist.cluster())};
  if (arguments.Has("--node")) {
    const std::string of_node = " --node " + arguments.Get("--node");
    view.about.push_back("node " + arguments.Get("--node"));
    absl::StrAppend(&view.in_full, of_node);
    absl::StrAppend(&view.all, of_node);
  } else if (const std::string nodes = NodesAndServing(checklist); !nodes.empty()) {
    view.about.push_back(nodes);
  }
  view.about.push_back(JudgedAgo(checklist, now));
  return view;
}

// One finding in full; of one that follows, where to go on.
void PrintOne(Terminal& terminal, const v1::Checklist& checklist, const v1::GetPlanResponse& plan,
              const Arguments& arguments, Time now) {
  ChecklistView view = View(checklist, plan, arguments, now);
  view.about.clear();
  if (arguments.Has("--node")) view.about.push_back("node " + arguments.Get("--node"));
  const v1::Finding& finding = checklist.findings(0);
  PrintOneFinding(terminal, finding, view);
  std::set<std::string> causes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == v1::FOLLOWS) causes.insert(evidence.cause());
  }
  if (!causes.empty()) terminal.out << "\nthe cause, and what to do about it:\n";
  for (const std::string& cause : causes) {
    terminal.out << "  " << absl::StrReplaceAll(view.in_full, {{"RULE", Printable(cause)}}) << "\n";
  }
}

void PrintTableFormat(Terminal& terminal, const v1::Checklist& checklist,
                      const v1::GetPlanResponse& plan, const Arguments& arguments, Time now) {
  if (checklist.findings().empty()) return;  // why is said by NothingSaid
  if (arguments.Has("--rule")) return PrintOne(terminal, checklist, plan, arguments, now);
  const ChecklistView view = View(checklist, plan, arguments, now);
  (arguments.Has("--all") ? PrintWholeChecklist : PrintChecklist)(terminal, checklist, view);
}

absl::Status CheckHasRule(const v1::Checklist& checklist, const std::string& rule) {
  if (rule.empty() || std::any_of(checklist.findings().begin(), checklist.findings().end(),
                                  [&](const v1::Finding& f) { return f.rule() == rule; })) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      "the coordinator does not know this rule: its version differs from this program's; fix: "
      "connect-ha status");
}

// What no evidence is left of is not known to hold, so this is no pass.
absl::Status NothingSaid(const Arguments& arguments) {
  const std::string node = arguments.Get("--node");
  const std::string rule = arguments.Get("--rule");
  if (node.empty()) {
    return absl::UnknownError("the coordinator has judged nothing yet; fix: connect-ha status");
  }
  const std::string of_all = "; fix: see what is known of all nodes: connect-ha checklist";
  if (!rule.empty()) {
    return absl::UnknownError(
        absl::StrCat("nothing is known of ", rule, " on ", node, of_all, " --rule ", rule));
  }
  return absl::UnknownError(absl::StrCat("nothing is known of ", node, of_all));
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
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return Fail(terminal, plan.status());
  if (const absl::Status has = CheckHasRule(*whole, arguments.Get("--rule")); !has.ok()) {
    return Fail(terminal, has);
  }
  const v1::Checklist of_node =
      arguments.Has("--node") ? PartOfNode(*whole, arguments.Get("--node")) : *whole;
  v1::Checklist checklist = OnlyRule(of_node, arguments.Get("--rule"));
  AddWaivers(*plan, checklist);
  const std::string format = arguments.Get("--output", "table");
  if (format == "json") {
    terminal.out << ToJson(checklist);
  } else if (format == "junit") {
    terminal.out << ToJunit(checklist, of_node, strict);
  } else {
    PrintTableFormat(terminal, checklist, *plan, arguments, environment.now());
  }
  const int code = checklist.findings().empty() ? Fail(terminal, NothingSaid(arguments))
                                                : ChecklistExitCode(checklist, of_node, strict);
  checklist.clear_evaluated_at();
  key = checklist.SerializeAsString();
  for (const v1::Word& word : plan->words()) key += word.SerializeAsString();
  return code;
}

}  // namespace

Command ChecklistCommand(const Environment& environment) {
  Command command = {"checklist", "", "Show what does not hold, and what to do", kDescription};
  command.options =
      ShowOptions("table|json|junit",
                  {{"--all", nullptr, "Every item, in groups"},
                   {"--node", "NODE", "Only this node, judged by its own evidence"},
                   {"--rule", "RULE",
                    "Only this item, in full; they are listed by: connect-ha rules", RuleIds()},
                   {"--strict", nullptr, "Advice counts like the rest"}});
  command.examples = {"connect-ha checklist", "connect-ha checklist --all",
                      "connect-ha checklist --refresh --node node-2",
                      "connect-ha checklist --rule encryption-key-matches",
                      "connect-ha checklist --output junit > checklist.xml"};
  command.run = Showing(environment, [&environment](const Arguments& arguments, AdminLink& admin,
                                                    Terminal& terminal, std::string& key) {
    return Render(environment, arguments, admin, terminal, key);
  });
  return command;
}

}  // namespace connect_ha
