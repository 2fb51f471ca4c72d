#include <vector>

#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows what the coordinator decided that each node is to be, why, and what each waits for; which rules fail where, what that does, or why it does nothing; what is said loudly; what people said; and, in a line, the change of the cluster that is to come or under way (connect-ha rollout status). Where the specification only observes (enforcement: observe), nothing is done, and it shows what would be.

FOR is since when a node is told what it is told, or a rule fails there. An action in brackets is not taken. (closed) beside serving: Connect runs there, and is looked at before its gate opens.

Exit status: 1 when something is said loudly, or the newest decision is not in force, since it would break what no decision may or cannot be stored; else 0.)";

v1::NodeState ReportedState(const v1::Snapshot& snapshot, const std::string& node) {
  for (const v1::NodeSnapshot& known : snapshot.nodes()) {
    if (known.name() == node) return known.reported_state();
  }
  return v1::NODE_STATE_UNSPECIFIED;
}

std::string Span(const google::protobuf::Timestamp& since, Time now) {
  return FormatSpan(now - FromProto(since));
}

void PrintHead(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan,
               Time now) {
  std::vector<Cell> phrases;
  if (snapshot.generation() == 0) {
    phrases.push_back({"no specification"});
  } else {
    const bool enforced = snapshot.spec().enforcement() == v1::ENFORCE;
    phrases.push_back({absl::StrCat("generation ", snapshot.generation(),
                                    enforced ? ", enforced" : ", observed")});
  }
  if (plan.has_decided_at()) {
    phrases.push_back({absl::StrCat("decided ", Span(plan.decided_at(), now), " ago")});
  }
  const std::string cluster = absl::StrCat("cluster ", snapshot.spec().cluster());
  PrintPhrases(terminal, {cluster, Style::kStrong}, phrases, Columns(cluster) + 3);
}

void PrintAssignments(Terminal& terminal, const v1::Snapshot& snapshot,
                      const v1::Decision& decision, Time now) {
  std::vector<TableRow> rows;
  std::vector<ToldNode> told;
  for (const v1::NodeAssignment& one : decision.assignments()) {
    const v1::NodeState reported = ReportedState(snapshot, one.node());
    rows.push_back({{one.node()},
                    {StateText(one, reported)},
                    {one.has_since() ? Span(one.since(), now) : "-"},
                    {one.reason()}});
    told.push_back({one.node(), "", one.waits_for()});
  }
  if (rows.empty()) {
    terminal.out << "nothing was decided yet; next: connect-ha status\n";
    return;
  }
  PrintTable(terminal, {"NODE", "STATE", "FOR", "WHY"}, rows);
  PrintTold(terminal, told);
}

// What would be done, were the specification enforced.
void PrintWould(Terminal& terminal, const v1::GetPlanResponse& plan, Time now) {
  if (!plan.has_would()) return;
  terminal.out << "\n"
               << Wrap(
                      "Nothing of that is done, since the specification only observes. With "
                      "enforcement: enforce it would be, next:",
                      terminal.width);
  std::vector<TableRow> rows;
  std::vector<ToldNode> told;
  for (const v1::NodeAssignment& one : plan.would().assignments()) {
    rows.push_back({{one.node()}, {StateText(one, one.state())}, {one.reason()}});
    told.push_back({one.node(), "", one.waits_for()});
  }
  PrintTable(terminal, {}, rows);
  PrintTold(terminal, told);
  PrintRolloutLine(terminal, plan.would().rollout(), now);
}

// It would act, and the node stays in service: as the last one, or since rules have fenced as many
// as they may. Which of that is said loudly.
bool IsKept(const v1::Decision& decision, const v1::Hazard& hazard) {
  for (const v1::NodeAssignment& one : decision.assignments()) {
    if (one.node() != hazard.node()) continue;
    const bool only_drains = one.state() == v1::DRAINING && hazard.action() == v1::FENCE;
    return hazard.acts() && (one.state() == v1::SERVING || only_drains);
  }
  return false;
}

void PrintHazards(Terminal& terminal, const v1::Decision& decision, Time now) {
  if (decision.hazards().empty()) return;
  std::vector<TableRow> rows;
  for (const v1::Hazard& hazard : decision.hazards()) {
    const std::string action = ActionName(hazard.action());
    const bool kept = IsKept(decision, hazard);
    const std::string why_not = kept ? "see below" : hazard.why_not();
    const std::string what =
        why_not.empty() ? hazard.text() : absl::StrCat(hazard.text(), "; not done: ", why_not);
    const bool done = hazard.acts() && !kept;
    rows.push_back({{hazard.node()},
                    {hazard.rule()},
                    {done ? action : absl::StrCat("(", action, ")"),
                     hazard.acts() ? Style::kBad : Style::kDoubtful},
                    {Span(hazard.since(), now)},
                    {what}});
  }
  terminal.out << "\n";
  PrintTable(terminal, {"NODE", "RULE", "ACTION", "FOR", "WHAT FAILS"}, rows);
}

// Of which it is shown what fails and what is said loudly: the one that would be.
const v1::Decision& Shown(const v1::GetPlanResponse& plan) {
  return plan.has_would() ? plan.would() : plan.decision();
}

void PrintPlan(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan,
               Time now) {
  PrintHead(terminal, snapshot, plan, now);
  PrintRolloutLine(terminal, plan.decision().rollout(), now);
  PrintNotInForce(terminal, plan);
  terminal.out << "\n";
  PrintAssignments(terminal, snapshot, plan.decision(), now);
  PrintWould(terminal, plan, now);
  PrintHazards(terminal, Shown(plan), now);
  PrintSaid(terminal, Shown(plan));
  PrintWords(terminal, plan, now);
}

// What counts as a change, and not as time that passes.
std::string ChangeKey(v1::GetPlanResponse plan) {
  plan.clear_decided_at();
  for (v1::Decision* decision : {plan.mutable_decision(), plan.mutable_would()}) {
    decision->clear_remember();
    decision->clear_wake_at();
    *decision->mutable_rollout() = WithoutEstimates(decision->rollout());
  }
  return plan.SerializeAsString();
}

int Render(const Environment& environment, const Arguments& arguments, AdminLink& admin,
           Terminal& terminal, std::string& key) {
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return Fail(terminal, snapshot.status());
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return Fail(terminal, plan.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*plan);
  } else {
    PrintPlan(terminal, *snapshot, *plan, environment.now());
  }
  key = ChangeKey(*plan);
  const bool loud = !Shown(*plan).said().empty() || !plan->broken().empty();
  return loud ? kFails : kHolds;
}

}  // namespace

Command PlanCommand(const Environment& environment) {
  Command command = {"plan", "", "Show what each node is to be, and why", kDescription};
  command.options = ShowOptions("table|json");
  command.examples = {"connect-ha plan", "connect-ha plan --watch"};
  command.run = Showing(environment, [&environment](const Arguments& arguments, AdminLink& admin,
                                                    Terminal& terminal, std::string& key) {
    return Render(environment, arguments, admin, terminal, key);
  });
  return command;
}

}  // namespace connect_ha
