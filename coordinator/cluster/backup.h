// Has the command before a migration (database.backup_before_migration) run on this host, and tells
// how it ended. It is not run by the coordinator, which is reached from the network and may start
// nothing: connect-ha-backup.path sees the request, and `connect-ha backup-run` does it, as an
// account of its own (coordinator/backup). Level-triggered: whoever asks goes on asking with the
// same run for as long as there is no result, over restarts of everything.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/backup.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "coordinator/backup/backup_files.h"

namespace connect_ha {

// Of one thread at a time. No call takes longer than a small file in memory.
class Backup {
 public:
  explicit Backup(std::string room = kBackupRoom);

  // The command is to have run as this (generation, asked_at): Decision.back_up. `spec`: of that
  // generation, in full. To be called with each decision that has one: the request is made again
  // now and then, so that none is lost. Logs what keeps it from being made, once.
  void Ask(const v1::BackupRun& run, const v1::ClusterSpec& spec, Time now);

  // The run that was asked for last, where it has ended (PlanInput.backup); before one was asked
  // for, the latest that ended on this host since its start. A run that has not begun within a
  // minute, or of which nothing is heard by its deadline and a minute, has failed, and says what to
  // look at; it stays so.
  std::optional<v1::BackupRun> Latest(Time now);

 private:
  bool IsUnderWay(const v1::BackupRequest& began, Time now) const;
  v1::BackupRun NeverRan(bool has_begun, Time now) const;

  const std::string room_;
  std::optional<v1::BackupRequest> asked_;
  Time waits_since_{};  // for the run that was asked for; another one that runs does not count
  Time written_at_{};
  std::string trouble_;                  // why the request cannot be made, as logged; "": it was
  std::optional<v1::BackupRun> failed_;  // `asked_`, of which nothing was heard
};

}  // namespace connect_ha
