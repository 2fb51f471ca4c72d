#include "absl/strings/str_cat.h"
#include "common/spec/spec_bundle.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/put_into_force.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Puts a specification into force: checks it and the files that it names, asks every node what it would change for it, shows that, asks whether to go on, and gives it a generation. With enforcement: enforce the nodes then bring themselves to it, one thing after the other; else they only report what differs. A node on which Connect runs is not changed by this version.

What was in force before is kept: connect-ha spec history, connect-ha spec rollback.

Exit status: 2 when the specification will not do or there is no terminal to ask on; 1 when the answer was no, somebody else applied one meanwhile, or, with --wait, a node is stuck or stays different; 3 when, with --wait, a node is not heard or it takes too long.)";

constexpr char kDefaultSpec[] = "/etc/connect-ha/cluster.yaml";

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const std::string path = arguments.positional.empty() ? kDefaultSpec : arguments.positional[0];
  Proposal proposal;
  proposal.command = "connect-ha apply " + path;
  const std::vector<ConfigProblem> problems = LoadSpecBundle(path, proposal.bundle);
  terminal.error << FormatProblems(problems);
  if (HasErrors(problems)) {
    PrintError(terminal, absl::InvalidArgumentError(absl::StrCat(
                             path, " will not do; fix: mend it, then: ", proposal.command)));
    return kUsage;
  }
  return PutIntoForce(environment, arguments, terminal, proposal);
}

}  // namespace

Command ApplyCommand(const Environment& environment) {
  Command command = {"apply", "[FILE]", "Put a specification into force", kDescription};
  command.options = PutIntoForceOptions();
  command.examples = {"connect-ha apply /etc/connect-ha/cluster.yaml",
                      "connect-ha apply cluster.yaml --yes --wait"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
