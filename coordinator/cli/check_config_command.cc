#include "absl/strings/str_cat.h"
#include "common/config_loader.h"
#include "common/text_table.h"
#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Reads a cluster specification and names everything that is wrong with it, each with file, line and column. Changes nothing and needs no coordinator; a running one takes a changed file with:
  systemctl reload connect-ha-coordinator
Exit status: 2 when something is wrong, else 0.)";

constexpr char kDefaultSpec[] = "/etc/connect-ha/cluster.yaml";

int Run(const Arguments& arguments, Terminal& terminal) {
  const std::string path = arguments.positional.empty() ? kDefaultSpec : arguments.positional[0];
  v1::ClusterSpec spec;
  const std::vector<ConfigProblem> problems = LoadClusterSpec(path, spec);
  if (problems.empty()) {
    terminal.out << path << ": good, cluster " << spec.cluster() << "\n";
    return kHolds;
  }
  terminal.error << FormatProblems(problems) << "error: " << Count(problems.size(), "problem")
                 << " in " << path << "\nfix:   mend the file, then: connect-ha check-config "
                 << path << "\n";
  return kUsage;
}

}  // namespace

Command CheckConfigCommand() {
  Command command = {"check-config", "[FILE]", "Check a cluster specification", kDescription};
  command.examples = {"connect-ha check-config /etc/connect-ha/cluster.yaml"};
  command.run = Run;
  return command;
}

}  // namespace connect_ha
