// What the words mean that a stage of the way to the database failed with.
#pragma once

#include <optional>
#include <string>

#include "common/checklist/fix.h"
#include "common/checklist/view/database_answer.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

struct StageSign {
  std::string cause;  // "" where the words themselves say it
  v1::Fix fix;
};

// Nullopt: they are no sign of anything that is known; the stage alone tells where to look.
std::optional<StageSign> SignOf(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                const v1::DatabaseFacts& database, const v1::DatabaseStage& stage);

// Of the database's server.
v1::Fix RenewCertificate(const v1::DatabaseFacts& database);

}  // namespace connect_ha
