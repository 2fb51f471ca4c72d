// What a generation asks of the cluster. Pure, and the same for one that was applied and for one
// that a person only thinks of (outlook.h).
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

struct NextKind {
  // The greatest that any member asks for whose Connect runs, or may. Nobody's does: IN_PLACE.
  v1::Rollout::Kind kind = v1::Rollout::KIND_UNSPECIFIED;
  std::vector<std::string> because;  // "node-1: file ...: Connect must be restarted"
  // Members that have not said what they would change, and are not lost: `kind` may be greater.
  std::vector<std::string> unknown;
  // It starts a version of Connect that is new to the database (database.h): irreversible.
  bool migrates = false;
  std::string refused;  // why it is not gone to at all; "": it may be
  std::string fix;
};

// Of input.next; empty where there is none. TOGETHER also where only the versions differ, whatever
// the nodes say. Refused: a version that is older than what has migrated the database; no longer a
// runtime that content is pinned to (input.pinned), with how many items; one that would be removed
// though it is not known whether content is.
NextKind KindOfNext(const Situation& situation);

}  // namespace connect_ha
