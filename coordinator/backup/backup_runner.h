// Runs the command before a migration that the coordinator asks for: `connect-ha backup-run`, of
// connect-ha-backup.service. As an account of its own, and root's word against the coordinator's:
// what may be run is what root has put into /etc/connect-ha/backup.d, of which the specification
// names one. Killed at any instruction and started again it runs no command twice for one request:
// a run that was ended without a result has failed, as far as this boot goes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/backup/backup_files.h"

namespace connect_ha {

inline constexpr char kBackupCommands[] = "/etc/connect-ha/backup.d";

struct BackupRunnerOptions {
  std::string room = kBackupRoom;
  std::string commands = kBackupCommands;
  // Who alone may write to `commands` and what is in it; root may, too.
  uint32_t owner = 0;
  std::vector<std::string> environment;  // that the command is given, beside CONNECT_HA_...
  std::function<Time()> now;
};

// Where the command is; an error says why it is not run, and ends with "\nfix: ". InvalidArgument:
// the name is no plain one; PermissionDenied: others than the owner may write there.
absl::StatusOr<std::string> FindBackupCommand(const BackupRunnerOptions& options,
                                              const std::string& name);

// What was asked for and has no result yet, and what is asked for meanwhile. The run that ended
// last; nullopt: there was nothing to do, or another process is at it. An error: nothing was run,
// or its result could not be left.
absl::StatusOr<std::optional<v1::BackupRun>> RunBackup(const BackupRunnerOptions& options);

}  // namespace connect_ha
