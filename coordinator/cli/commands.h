// The commands of connect-ha: one file each, one row each in commands.cc.
#pragma once

#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "coordinator/cli/environment.h"

namespace connect_ha {

// The whole program. `environment` must outlive it.
Program ConnectHa(const Environment& environment);

Command InitCommand(const Environment& environment);
Command ServeCommand(const Environment& environment);
Command StatusCommand(const Environment& environment);
Command ChecklistCommand(const Environment& environment);
Command PlanCommand(const Environment& environment);
Command RulesCommand();
Command StatesCommand();
Command NodesCommand(const Environment& environment);
Command FactsCommand(const Environment& environment);
Command DiffCommand(const Environment& environment);
Command ProofCommand(const Environment& environment);
Command EventsCommand(const Environment& environment);
Command TokenCreateCommand(const Environment& environment);
Command TokenListCommand(const Environment& environment);
Command TokenRevokeCommand(const Environment& environment);
// cordon, drain, ... release, waive.
std::vector<Command> WordCommands(const Environment& environment);
Command RolloutStatusCommand(const Environment& environment);
Command RolloutPhasesCommand();
// approve, rollout approve, pause, resume, abort, restored.
std::vector<Command> RolloutWordCommands(const Environment& environment);
Command HistoryCommand(const Environment& environment);
Command NodeRemoveCommand(const Environment& environment);
Command AdminCreateCommand(const Environment& environment);
Command AdminListCommand(const Environment& environment);
Command AdminRemoveCommand(const Environment& environment);
Command AuditCommand(const Environment& environment);
Command BackupRunCommand(const Environment& environment);
Command CheckConfigCommand();
Command PreviewCommand(const Environment& environment);
Command ApplyCommand(const Environment& environment);
Command SpecShowCommand(const Environment& environment);
Command SpecHistoryCommand(const Environment& environment);
Command SpecDiffCommand(const Environment& environment);
Command SpecRollbackCommand(const Environment& environment);
Command KeyCreateCommand();

// Every rule's id, as the choices of an option.
std::string RuleIds();

}  // namespace connect_ha
