#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/facts_text.h"
#include "coordinator/cli/text/node_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Prints what a node's agent last read there, as JSON (the message connect_ha.v1.Facts) or as a table of paths and values. A fact that is missing does not exist on the node, unless "unobserved" names it or what it belongs to, with the reason: then it could not be read. Secrets are never shown, only keyed digests of them.

Exit status: 3 when the node has not reported yet or is not heard, else 0.)";

void PrintFacts(Terminal& terminal, const v1::Facts& facts) {
  std::vector<TableRow> rows;
  for (const v1::Unobserved& hole : facts.unobserved()) {
    rows.push_back({{hole.path().empty() ? "(everything)" : hole.path()},
                    {"could not be read: " + hole.reason(), Style::kDoubtful}});
  }
  v1::Facts rest = facts;
  rest.clear_unobserved();
  for (const FactLine& line : Flatten(rest)) rows.push_back({{line.path}, {line.value}});
  PrintTable(terminal, {"PATH", "VALUE"}, rows);
}

int Render(const Arguments& arguments, AdminLink& admin, Terminal& terminal, std::string& key) {
  const std::string& name = arguments.positional[0];
  const auto states = GetStates(admin);
  if (!states.ok()) return Fail(terminal, states.status());
  if (const absl::Status known = CheckNodes(*states, {name}); !known.ok()) {
    return Fail(terminal, known);
  }
  v1::GetSnapshotRequest request;
  request.set_node(name);
  const auto snapshot = admin.GetSnapshot(request);
  if (!snapshot.ok()) return Fail(terminal, snapshot.status());
  if (snapshot->nodes_size() != 1 || !snapshot->nodes(0).has_facts()) {
    return Fail(terminal, absl::UnavailableError(
                              absl::StrCat("\"", name,
                                           "\" has joined but not reported yet; fix: on the node: "
                                           "systemctl status connect-ha-agent")));
  }
  const v1::NodeSnapshot& node = snapshot->nodes(0);
  if (arguments.Get("--output", "json") == "json") {
    terminal.out << ToJson(node.facts());
  } else {
    PrintFacts(terminal, node.facts());
  }
  key = node.facts().SerializeAsString();
  if (IsLive(*snapshot, node)) return kHolds;
  terminal.error << "warning: " << name << " was last heard " << SeenCell(*snapshot, node).text
                 << "\n";
  return kUnknown;
}

}  // namespace

Command FactsCommand(const Environment& environment) {
  Command command = {"facts", "NODE", "Print what a node reported", kDescription};
  command.options = ShowOptions("json|table");
  command.examples = {"connect-ha facts node-1", "connect-ha facts node-1 --output table",
                      "connect-ha facts node-1 --refresh | jq .storage.mounts"};
  command.run = Showing(environment, Render);
  return command;
}

}  // namespace connect_ha
