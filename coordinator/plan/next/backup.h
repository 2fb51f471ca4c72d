// The operator's own command that is run before the database may be migrated.
#pragma once

#include <chrono>
#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// The command before a migration: what it is asked to have run as, where it is to run now.
// `why`: it runs, or failed (`failed`); a person's approval later than that has it tried again, and
// so does the next maintenance window. One that went well counts for an hour. Neither: it is done,
// or none is asked for.
struct BackupLook {
  bool asked = false;
  bool runs = false;  // it was asked for before this decision
  v1::BackupRun run;
  std::string why;
  bool failed = false;
};
BackupLook BackupFor(const Situation& situation, const NextKind& next);

// How long it is to take yet, where it is still to be made or runs, by the last one that went well.
// Zero: there is none to be made, or it is not known; then it is tried.
std::chrono::microseconds BackupTakes(const Situation& situation, const NextKind& next);

// "the backup before it failed at 2024-08-04T00:20:00Z: nightly ended with status 3", where it has
// not been tried again since; "": it has not failed.
std::string WhyNoBackup(const Situation& situation, const NextKind& next);

}  // namespace connect_ha
