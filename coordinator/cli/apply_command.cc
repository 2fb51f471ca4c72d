#include "coordinator/cli/apply/put_into_force.h"
#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Puts a specification into force: checks it and the files that it names, asks every node what it would change, shows that, and what it asks of the cluster: whether Connect goes on, is restarted on one node after the other, or is stopped on all of them, about how long that takes, and what it needs before it begins. Then it asks whether to go on, and gives the specification a generation.

With enforcement: enforce every node gets ready for it (fetches, verifies, and makes what stands beside what is there), and then the change is made: connect-ha rollout status shows how far it is. Where Connect has to be stopped on all nodes, or the database may be migrated, it begins with connect-ha approve, or in the maintenance window. With enforcement: observe nodes only report what differs. To see what would change and go no further: connect-ha preview.

What was in force before is kept: connect-ha spec history, connect-ha spec rollback.

With --sign the specification and its files are signed here, for nodes that take nothing else: see connect-ha key create.

Exit status: 2 when the specification is invalid or refused, or there is no terminal to ask on; 1 when the answer was no, somebody else applied one meanwhile, or, with --wait, it waits for an approval, is halted or aborted, or a node is stuck, fenced or stays different; 3 when, with --wait, a node is not heard or it takes too long.)";

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  Proposal proposal;
  if (!ReadProposal("apply", arguments, terminal, proposal)) return kUsage;
  return PutIntoForce(environment, arguments, terminal, proposal);
}

}  // namespace

Command ApplyCommand(const Environment& environment) {
  Command command = {"apply", "[FILE]", "Put a specification into force", kDescription};
  command.options = PutIntoForceOptions();
  command.examples = {"connect-ha apply /etc/connect-ha/cluster.yaml",
                      "connect-ha apply cluster.yaml --yes --wait",
                      "connect-ha apply cluster.yaml --sign ~/.config/connect-ha-signing.key"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
