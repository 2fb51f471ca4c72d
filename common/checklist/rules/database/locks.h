// The proof that nodes use one database: each sees the lock that every other holds in it.
#pragma once

#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Of each node that has a database; `noun` is the one that the locks are held in.
void JudgeLocks(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict);

}  // namespace connect_ha
