#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/command/checklist_text.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/convergence_text.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows the cluster on one screen: its nodes, what each is told to be, for how long (FOR), why, and what it waits for; how far each is with the specification; in a line, the change of the cluster that is to come or under way (connect-ha rollout status); what is said loudly, and what people said (connect-ha plan has more of that); and what of the checklist does not hold. "ready -> serving": it is the one, and is told to be the other; (closed) beside serving: Connect runs there, and is looked at before its gate opens. CLOCK is how far a node's clock is ahead of the coordinator's (+) or behind it (-), with the largest possible error of the measurement.

The exit status is that of the checklist.)";

// Those whose gate is kept closed, by name.
std::map<std::string, v1::NodeAssignment> Closed(const v1::GetPlanResponse& plan) {
  std::map<std::string, v1::NodeAssignment> closed;
  for (const v1::NodeAssignment& told : plan.decision().assignments()) {
    if (told.closed()) closed[told.node()] = told;
  }
  return closed;
}

// "3 nodes, 1 serving, 1 observed": as the table below it says. The checklist counts whose Connect
// answers, which one does that drains.
std::string NodesAndStates(const v1::Snapshot& snapshot,
                           const std::map<std::string, v1::NodeAssignment>& closed) {
  const auto in = [&](v1::NodeState state) {
    return std::count_if(snapshot.nodes().begin(), snapshot.nodes().end(),
                         [&](const v1::NodeSnapshot& node) {
                           return IsLive(snapshot, node) && node.assigned_state() == state &&
                                  node.reported_state() == state && closed.count(node.name()) == 0;
                         });
  };
  if (snapshot.nodes().empty()) return "";
  const auto observed = in(v1::OBSERVED);
  return absl::StrCat(Count(snapshot.nodes_size(), "node"), ", ", in(v1::SERVING), " serving",
                      observed > 0 ? absl::StrCat(", ", observed, " observed") : "");
}

void PrintNodes(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan) {
  if (snapshot.nodes().empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
    return;
  }
  const auto closed = Closed(plan);
  std::vector<TableRow> rows;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    const bool conflict = node.claimants_size() > 1;
    const auto told = closed.find(node.name());
    const bool is_closed = told != closed.end() && told->second.state() == node.assigned_state();
    rows.push_back({{node.name()},
                    {is_closed ? StateText(told->second, node.reported_state()) : StateText(node)},
                    ToldForCell(node, snapshot.taken_at()),
                    SeenCell(snapshot, node),
                    {node.agent_version()},
                    {ClockText(node)},
                    {conflict ? "CONFLICT" : "", Style::kBad}});
  }
  PrintTable(terminal, {"NODE", "STATE", "FOR", "HEARD", "AGENT", "CLOCK", ""}, rows);
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    const auto lines = ConflictLines(snapshot, node);
    if (lines.empty()) continue;
    terminal.out << "\n"
                 << Wrap(absl::StrCat(lines.size(), " live machines speak as ", node.name(), ":"),
                         terminal.width);
    for (const std::string& line : lines) terminal.out << Wrap(Printable(line), terminal.width, 2);
    terminal.out << Wrap(
        "fix: on the machine that is the copy: systemctl stop connect-ha-gate.socket "
        "connect-ha-agent, then enrol it under another name",
        terminal.width, 2);
  }
}

// Why each node is what it is, what is said loudly of that, and what people said.
void PrintPlan(Terminal& terminal, const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan,
               Time now) {
  std::vector<ToldNode> told;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    told.push_back({node.name(), node.assigned_reason(), node.waits_for()});
  }
  PrintTold(terminal, told);
  PrintNotInForce(terminal, plan);
  PrintSaid(terminal, plan.decision());
  PrintWords(terminal, plan, now);
}

void PrintStatus(Terminal& terminal, const v1::Snapshot& snapshot, const v1::Checklist& checklist,
                 const v1::GetPlanResponse& plan, Time now) {
  const auto live = static_cast<size_t>(
      std::count_if(snapshot.nodes().begin(), snapshot.nodes().end(),
                    [&](const v1::NodeSnapshot& node) { return IsLive(snapshot, node); }));
  const auto all = static_cast<size_t>(snapshot.nodes_size());
  std::vector<Cell> head;
  const std::string nodes = snapshot.spec().enforcement() == v1::ENFORCE
                                ? NodesAndStates(snapshot, Closed(plan))
                                : NodesAndServing(checklist);
  if (!nodes.empty()) head.push_back({nodes});
  if (live < all) head.push_back({absl::StrCat(all - live, " not heard"), Style::kDoubtful});
  head.push_back({absl::StrCat("coordinator ", snapshot.coordinator_version(), " at ",
                               FormatUtc(FromProto(snapshot.taken_at())))});
  const std::string cluster = absl::StrCat("cluster ", checklist.cluster());
  PrintPhrases(terminal, {cluster, Style::kStrong}, head, Columns(cluster) + 3);
  PrintRolloutLine(terminal, plan.decision().rollout(), now);
  terminal.out << "\n";
  PrintNodes(terminal, snapshot, plan);
  if (snapshot.nodes().empty()) return;
  PrintPlan(terminal, snapshot, plan, now);
  PrintConvergence(terminal, snapshot);
  terminal.out << "\n";
  ChecklistView view;
  view.now = now;
  view.about = {"checklist", JudgedAgo(checklist, now)};
  view.waived = Waivers(plan);
  PrintChecklist(terminal, checklist, view);
}

// What counts as a change, and not as time that passes.
std::string ChangeKey(v1::Snapshot snapshot, v1::Checklist checklist,
                      const v1::GetPlanResponse& plan) {
  std::string live;
  for (v1::NodeSnapshot& node : *snapshot.mutable_nodes()) {
    live += IsLive(snapshot, node) ? '1' : '0';
  }
  for (v1::NodeSnapshot& node : *snapshot.mutable_nodes()) {
    node.clear_last_seen();
    node.clear_clock();
    node.mutable_convergence()->mutable_step()->clear_done_bytes();
    for (v1::Claimant& claimant : *node.mutable_claimants()) claimant.clear_last_seen();
  }
  snapshot.clear_taken_at();
  checklist.clear_evaluated_at();
  std::string key = live + snapshot.SerializeAsString() + checklist.SerializeAsString();
  key += RolloutKey(plan.decision().rollout());
  for (const auto& told : Closed(plan)) key += told.first + "\n";
  for (const std::string& broken : plan.broken()) key += broken;
  for (const v1::Said& said : plan.decision().said()) key += said.SerializeAsString();
  for (const v1::Word& word : plan.words()) key += word.SerializeAsString();
  return key;
}

// Without the line's end.
std::string JsonPart(const google::protobuf::Message& message) {
  std::string json = ToJson(message);
  absl::StripTrailingAsciiWhitespace(&json);
  return json;
}

int Render(const Environment& environment, const Arguments& arguments, AdminLink& admin,
           Terminal& terminal, std::string& key) {
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return Fail(terminal, snapshot.status());
  auto checklist = admin.GetChecklist({});
  if (!checklist.ok()) return Fail(terminal, checklist.status());
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return Fail(terminal, plan.status());
  AddWaivers(*plan, *checklist);
  if (arguments.Get("--output") == "json") {
    terminal.out << "{\"snapshot\": " << JsonPart(*snapshot)
                 << ",\n\"checklist\": " << JsonPart(*checklist) << ",\n\"plan\": " << ToJson(*plan)
                 << "}\n";
  } else {
    PrintStatus(terminal, *snapshot, *checklist, *plan, environment.now());
  }
  key = ChangeKey(*snapshot, *checklist, *plan);
  return ChecklistExitCode(*checklist, *checklist, false);
}

}  // namespace

Command StatusCommand(const Environment& environment) {
  Command command = {"status", "", "Show the cluster on one screen", kDescription};
  command.options = ShowOptions("table|json");
  command.examples = {"connect-ha status", "connect-ha status --watch"};
  command.run = Showing(environment, [&environment](const Arguments& arguments, AdminLink& admin,
                                                    Terminal& terminal, std::string& key) {
    return Render(environment, arguments, admin, terminal, key);
  });
  return command;
}

}  // namespace connect_ha
