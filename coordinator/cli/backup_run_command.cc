// For connect-ha-backup.service alone.
#include <unistd.h>

#include "common/text/printable.h"
#include "coordinator/backup/backup_runner.h"
#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Runs the command of /etc/connect-ha/backup.d that the coordinator asks for before a migration, and leaves how it ended. connect-ha-backup.service runs this; there is nothing to do where nothing is asked for.)";

int RunAndTell(const Environment& environment, Terminal& terminal) {
  if (geteuid() == 0) {
    PrintError(terminal,
               absl::FailedPreconditionError(
                   "backups are not run by root\nfix: systemctl start connect-ha-backup"));
    return kUsage;
  }
  BackupRunnerOptions options;
  options.now = environment.now;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    options.environment.emplace_back(*variable);
  }
  const auto run = RunBackup(options);
  if (!run.ok()) {
    PrintError(terminal, run.status());
    return kUsage;
  }
  if (!run->has_value()) return kHolds;
  terminal.out << Printable((*run)->text()) << "\n";
  return (*run)->went_well() ? kHolds : kFails;
}

}  // namespace

Command BackupRunCommand(const Environment& environment) {
  Command command = {"backup-run", "", "Run the command before a migration", kDescription};
  command.run = [&environment](const Arguments&, Terminal& terminal) {
    return RunAndTell(environment, terminal);
  };
  command.hidden = true;
  return command;
}

}  // namespace connect_ha
