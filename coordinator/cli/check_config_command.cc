#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/command/text_table.h"
#include "common/connect/gcfg.h"
#include "common/file.h"
#include "common/spec/spec_bundle.h"
#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Checks a cluster specification and the files that it names (Connect's configuration, the licence). Prints every mistake with file, line and column, and, as warnings and notes, what is valid but may not be meant. Changes nothing and needs no coordinator; connect-ha apply FILE puts it into force.

Exit status: 2 when something is wrong, else 0.)";

constexpr char kDefaultSpec[] = "/etc/connect-ha/cluster.yaml";

size_t CountErrors(const std::vector<ConfigProblem>& problems) {
  return static_cast<size_t>(std::count_if(
      problems.begin(), problems.end(),
      [](const ConfigProblem& problem) { return problem.severity == Severity::kError; }));
}

// By its name, or by a section's header on the first line that says anything: YAML has neither.
bool IsConnectsOwn(const std::string& path) {
  if (absl::EndsWith(path, ".gcfg")) return true;
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return false;
  const GcfgFile file = ParseGcfg(*text);
  return file.errors.empty() && !file.entries.empty();
}

int Run(const Arguments& arguments, Terminal& terminal) {
  const std::string path = arguments.positional.empty() ? kDefaultSpec : arguments.positional[0];
  if (IsConnectsOwn(path)) {
    terminal.error << "error: " << path
                   << " is Connect's own file, not a cluster specification\n"
                      "fix:   on a node that has it: connect-ha-agent check-config\n";
    return kUsage;
  }
  v1::SpecBundle bundle;
  const std::vector<ConfigProblem> problems = LoadSpecBundle(path, bundle);
  terminal.error << FormatProblems(problems);
  if (!HasErrors(problems)) {
    terminal.out << path << ": ok, cluster " << bundle.spec().cluster() << "\n";
    return kHolds;
  }
  terminal.error << "error: " << Count(CountErrors(problems), "problem") << " in " << path
                 << "\nfix:   correct the file, then: connect-ha check-config " << path << "\n";
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
