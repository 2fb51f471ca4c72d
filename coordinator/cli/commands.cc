#include "coordinator/cli/commands.h"

#include "absl/strings/str_join.h"
#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows whether a Posit Connect high-availability cluster is as Connect's documentation asks. An agent on each node reports what it finds there; the coordinator compares the nodes with each other and with the specification, and this program shows the result. Nothing is changed on a node unless the specification in force says so (enforcement: enforce).)";

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

}  // namespace

std::string RuleIds() {
  return absl::StrJoin(Rules(), "|",
                       [](std::string* out, const Rule& rule) { out->append(rule.id); });
}

Program ConnectHa(const Environment& environment) {
  Program program = {"connect-ha", 1, "watch over a Posit Connect high-availability cluster",
                     kDescription};
  program.commands = {
      StatusCommand(environment),
      ChecklistCommand(environment),
      RulesCommand(),
      NodesCommand(environment),
      FactsCommand(environment),
      DiffCommand(environment),
      ProofCommand(environment),
      EventsCommand(environment),
      PreviewCommand(environment),
      ApplyCommand(environment),
      SpecShowCommand(environment),
      SpecHistoryCommand(environment),
      SpecDiffCommand(environment),
      SpecRollbackCommand(environment),
      KeyCreateCommand(),
      TokenCreateCommand(environment),
      TokenListCommand(environment),
      TokenRevokeCommand(environment),
      NodeRemoveCommand(environment),
      AdminCreateCommand(environment),
      AdminListCommand(environment),
      AdminRemoveCommand(environment),
      AuditCommand(environment),
      InitCommand(environment),
      ServeCommand(environment),
      CheckConfigCommand(),
  };
  for (Command& command : StandardCommands()) program.commands.push_back(std::move(command));
  program.sections = Sections();
  program.see_also = "connect-ha-agent(8), systemctl(1)";
  return program;
}

}  // namespace connect_ha
