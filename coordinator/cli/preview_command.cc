#include "common/command/json.h"
#include "coordinator/cli/apply/proposal.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/preview_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows what each node would change for a specification, and changes nothing: checks the specification and the files that it names, and asks every node that is heard. With enforcement: enforce it says what that asks of the cluster: whether Connect goes on, is restarted on one node after the other, or is stopped on all of them, about how long that takes, and what it needs before it begins; or why it is refused. connect-ha apply shows the same before it asks.

Exit status: 0 when no node would change anything, 1 when one would, 2 when it is invalid, 3 when it is not known of every node.)";

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  Proposal proposal;
  if (!ReadProposal("preview", arguments, terminal, proposal)) return kUsage;
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto previews = AskNodes(environment, **admin, proposal, terminal);
  if (!previews.ok()) return Fail(terminal, previews.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*previews);
  } else {
    ShowPreviews(proposal, *previews, terminal);
  }
  const PreviewCounts counts = CountPreviews(*previews);
  if (counts.changing > 0) return kFails;
  return counts.unknown > 0 || previews->nodes().empty() ? kUnknown : kHolds;
}

}  // namespace

Command PreviewCommand(const Environment& environment) {
  Command command = {"preview", "[FILE]", "Show what a specification would change", kDescription};
  command.options = ClientOptions({{"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha preview /etc/connect-ha/cluster.yaml",
                      "connect-ha preview cluster.yaml --output json"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
