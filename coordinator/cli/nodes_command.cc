#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/node_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Lists the nodes: state, when each was last heard, and what it runs. "?" stands for what its agent could not read; connect-ha facts NODE says why.

Exit status: 3 when a node is not heard, or two machines speak under one name, else 0.)";

std::string OrUnknown(bool known, const std::string& text) { return known ? text : "?"; }

TableRow Row(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  const v1::Facts& facts = node.facts();
  return {{node.name()},
          {StateText(node)},
          SeenCell(snapshot, node),
          {OrUnknown(!node.agent_version().empty(), node.agent_version())},
          {OrUnknown(facts.connect().has_package(), facts.connect().package().version())},
          {OrUnknown(facts.host().has_os_name(), facts.host().os_name())},
          {OrUnknown(facts.instance().has_zone(), facts.instance().zone())},
          {node.claimants_size() > 1 ? "CONFLICT" : "", Style::kBad}};
}

// What counts as a change, and not as time that passes.
std::string ChangeKey(const v1::Snapshot& snapshot) {
  constexpr size_t kHeard = 2;
  std::string key;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    TableRow row = Row(snapshot, node);
    row[kHeard].text = IsLive(snapshot, node) ? "live" : "not heard";
    for (const Cell& cell : row) absl::StrAppend(&key, cell.text, "\n");
  }
  return key;
}

int Render(const Arguments& arguments, AdminLink& admin, Terminal& terminal, std::string& key) {
  const bool json = arguments.Get("--output") == "json";
  const auto snapshot = json ? GetStates(admin) : admin.GetSnapshot({});
  if (!snapshot.ok()) return Fail(terminal, snapshot.status());
  int code = kHolds;
  size_t live = 0;
  std::vector<TableRow> rows;
  for (const v1::NodeSnapshot& node : snapshot->nodes()) {
    rows.push_back(Row(*snapshot, node));
    live += IsLive(*snapshot, node) ? 1 : 0;
    if (!IsLive(*snapshot, node) || node.claimants_size() > 1) code = kUnknown;
  }
  key = ChangeKey(*snapshot);
  if (json) {
    terminal.out << ToJson(*snapshot);
    return code;
  }
  if (rows.empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
    return code;
  }
  PrintTable(terminal, {"NODE", "STATE", "HEARD", "AGENT", "CONNECT", "SYSTEM", "ZONE", ""}, rows);
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
