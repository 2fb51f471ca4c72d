#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Lists the nodes: state, for how long it is told that (FOR), when each was last heard, and what it runs; then why each is what it is, and what it waits for. "?" stands for what its agent could not read; connect-ha facts NODE says why.

Exit status: 3 when a node is not heard, or two machines speak under one name, else 0.)";

std::string OrUnknown(const std::string& text) { return text.empty() ? "?" : text; }

bool IsLive(const v1::NodeBrief& node) { return node.has_last_seen() && !node.lost(); }

Cell HeardCell(const v1::ListNodesResponse& nodes, const v1::NodeBrief& node) {
  if (!node.has_last_seen()) return {"never", Style::kDoubtful};
  return {FormatSpan(FromProto(nodes.taken_at()) - FromProto(node.last_seen())) + " ago",
          IsLive(node) ? Style::kPlain : Style::kDoubtful};
}

TableRow Row(const v1::ListNodesResponse& nodes, const v1::NodeBrief& node) {
  return {{node.name()},
          {StateText(node.assigned_state(), node.reported_state(), node.allow())},
          ToldForCell(node, nodes.taken_at()),
          HeardCell(nodes, node),
          {OrUnknown(node.agent_version())},
          {OrUnknown(node.facts().connect_version())},
          {OrUnknown(node.facts().system())},
          {OrUnknown(node.facts().zone())},
          {node.claimants() > 1 ? "CONFLICT" : "", Style::kBad}};
}

// What counts as a change, and not as time that passes.
std::string ChangeKey(const v1::ListNodesResponse& nodes) {
  constexpr size_t kFor = 2;
  constexpr size_t kHeard = 3;
  std::string key;
  for (const v1::NodeBrief& node : nodes.nodes()) {
    TableRow row = Row(nodes, node);
    row[kFor].text = "";
    row[kHeard].text = IsLive(node) ? "live" : "not heard";
    for (const Cell& cell : row) absl::StrAppend(&key, cell.text, "\n");
    absl::StrAppend(&key, node.assigned_reason(), "\n", node.waits_for(), "\n");
  }
  return key;
}

int Render(const Arguments& arguments, AdminLink& admin, Terminal& terminal, std::string& key) {
  const auto nodes = admin.ListNodes({});
  if (!nodes.ok()) return Fail(terminal, nodes.status());
  int code = kHolds;
  size_t live = 0;
  std::vector<TableRow> rows;
  for (const v1::NodeBrief& node : nodes->nodes()) {
    rows.push_back(Row(*nodes, node));
    live += IsLive(node) ? 1 : 0;
    if (!IsLive(node) || node.claimants() > 1) code = kUnknown;
  }
  key = ChangeKey(*nodes);
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*nodes);
    return code;
  }
  if (rows.empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
    return code;
  }
  PrintTable(terminal, {"NODE", "STATE", "FOR", "HEARD", "AGENT", "CONNECT", "SYSTEM", "ZONE", ""},
             rows);
  std::vector<ToldNode> told;
  for (const v1::NodeBrief& node : nodes->nodes()) {
    told.push_back({node.name(), node.assigned_reason(), node.waits_for()});
  }
  PrintTold(terminal, told);
  terminal.out << "\n" << Count(rows.size(), "node") << ", " << live << " live\n";
  return code;
}

}  // namespace

Command NodesCommand(const Environment& environment) {
  Command command = {"nodes", "", "List the nodes and what they run", kDescription};
  command.options = ShowOptions("table|json");
  command.examples = {"connect-ha nodes", "connect-ha nodes --output json"};
  command.run = Showing(environment, Render);
  return command;
}

}  // namespace connect_ha
