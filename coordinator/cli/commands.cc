#include "coordinator/cli/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows whether a Posit Connect high-availability cluster is as Connect's documentation asks. An agent on each node reports what it finds there; the coordinator compares the nodes with each other and with the specification, and this program shows the result. Where the specification in force says so (enforcement: enforce), it also brings the nodes to it, into service, and out of it where they must not serve; else nothing is changed on a node.)";

std::vector<Section> Sections() {
  return {{"Exit status",
           {{"0", "what was asked holds"},
            {"1", "something fails"},
            {"2", "the command line, a file or an identity is wrong"},
            {"3", "something is unknown, or there was no answer (1 goes before it)"}}},
          {"Environment",
           {{"CONNECT_HA_IDENTITY", "the directory with the admin's certificate and key"},
            {"NO_COLOR", "when set, no colors"}}},
          {"Files",
           {{"~/.config/connect-ha",
             "an admin's identity: admin.crt, admin.key, ca.crt and coordinator (host:port)"},
            {"/var/lib/connect-ha/admin", "the first admin's, on the coordinator's host"},
            {"/etc/connect-ha/cluster.yaml",
             "what the cluster should be; connect-ha apply puts it into force"}}}};
}

std::vector<Command> Commands(const Environment& environment) {
  std::vector<Command> commands;
  const auto add = [&commands](std::vector<Command> more) {
    std::move(more.begin(), more.end(), std::back_inserter(commands));
  };
  add({
      StatusCommand(environment),
      ChecklistCommand(environment),
      PlanCommand(environment),
      RulesCommand(),
      StatesCommand(),
      NodesCommand(environment),
      FactsCommand(environment),
      DiffCommand(environment),
      ProofCommand(environment),
      EventsCommand(environment),
      PreviewCommand(environment),
      ApplyCommand(environment),
      RolloutStatusCommand(environment),
  });
  add(RolloutWordCommands(environment));
  add({
      RolloutPhasesCommand(),
      HistoryCommand(environment),
      SpecShowCommand(environment),
      SpecHistoryCommand(environment),
      SpecDiffCommand(environment),
      SpecRollbackCommand(environment),
      KeyCreateCommand(),
      TokenCreateCommand(environment),
      TokenListCommand(environment),
      TokenRevokeCommand(environment),
      NodeRemoveCommand(environment),
  });
  add(WordCommands(environment));
  add({
      AdminCreateCommand(environment),
      AdminListCommand(environment),
      AdminRemoveCommand(environment),
      AuditCommand(environment),
      InitCommand(environment),
      ServeCommand(environment),
      BackupRunCommand(environment),
      CheckConfigCommand(),
  });
  add(StandardCommands());
  return commands;
}

}  // namespace

std::string RuleIds() {
  return absl::StrJoin(Rules(), "|",
                       [](std::string* out, const Rule& rule) { out->append(rule.id); });
}

Program ConnectHa(const Environment& environment) {
  Program program = {"connect-ha", 1, "watch over a Posit Connect high-availability cluster",
                     kDescription};
  program.commands = Commands(environment);
  program.sections = Sections();
  program.see_also = "connect-ha-agent(8), systemctl(1)";
  return program;
}

}  // namespace connect_ha
