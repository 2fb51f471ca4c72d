#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/cli/apply/put_into_force.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Removes a node from the cluster: its certificate is refused from its next call on, and the checklist forgets it. Nothing is changed on the node. To come back, the node has to join again with a token. Asks first, unless --yes is given.

Under enforcement a node on which Connect runs is not removed (exit code 2): Connect would go on there with the gate open, and nobody would know of its version. First stop it (connect-ha node stop), or let go of the node (connect-ha release) where only Connect is to go on by itself. A node that is not heard is removed at once. --force removes it all the same.)";

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const std::string& node = arguments.positional[0];
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto states = GetStates(**admin);
  if (!states.ok()) return Fail(terminal, states.status());
  const absl::Status known = CheckNodes(*states, {node});
  if (!known.ok()) return Fail(terminal, known);
  if (!arguments.Has("--yes")) {
    const auto confirmed = Confirmed(
        environment, terminal,
        absl::StrCat("Remove ", node, "? Its certificate is refused from its next call on."),
        "connect-ha node remove " + node);
    if (!confirmed.ok()) return Fail(terminal, confirmed.status());
    if (!*confirmed) {
      terminal.error << "nothing was changed\n";
      return kFails;
    }
  }
  v1::RemoveNodeRequest request;
  request.set_node(node);
  request.set_force(arguments.Has("--force"));
  request.set_why(arguments.Get("--reason", arguments.Get("--why")));
  const auto response = (*admin)->RemoveNode(request);
  if (!response.ok()) return Fail(terminal, response.status());
  terminal.out << node
               << " is removed; on it: systemctl disable --now connect-ha-gate.socket "
                  "connect-ha-agent\n";
  return kHolds;
}

}  // namespace

Command NodeRemoveCommand(const Environment& environment) {
  Command command = {"node remove", "NODE", "Remove a node from the cluster", kDescription};
  command.options = ClientOptions({{"--yes", nullptr, "Do not ask"},
                                   {"--force", nullptr, "Also where Connect runs there"},
                                   {"--reason", "TEXT", "Why: kept in the audit log"},
                                   {"--why", "TEXT", "The same"}});
  command.examples = {"connect-ha node remove node-2 --reason \"instance is terminated\""};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
