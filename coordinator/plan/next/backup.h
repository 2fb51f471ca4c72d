// The operator's own command that is run before the database may be migrated.
#pragma once

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
  v1::BackupRun run;
  std::string why;
  bool failed = false;
};
BackupLook BackupFor(const Situation& situation, const NextKind& next);

}  // namespace connect_ha
