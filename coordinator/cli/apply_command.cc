#include "coordinator/cli/apply/put_into_force.h"
#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Puts a specification into force: checks it and the files that it names, asks every node what it would change, shows that, asks whether to go on, and gives the specification a generation. With enforcement: enforce the nodes then change what differs, one thing after the other, and enter service as far as connect-ha plan says; else they only report it. Where Connect runs already, only what needs no restart of it is changed by this version. To see what would change and go no further: connect-ha preview.

What was in force before is kept: connect-ha spec history, connect-ha spec rollback.

With --sign the specification and its files are signed here, for nodes that take nothing else: see connect-ha key create.

Exit status: 2 when the specification is invalid or there is no terminal to ask on; 1 when the answer was no, somebody else applied one meanwhile, or, with --wait, a node is stuck, fenced or stays different; 3 when, with --wait, a node is not heard or it takes too long.)";

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
