// What every rule about the database says where there is none, or none that answered.
#pragma once

#include "coordinator/checklist/verdict.h"

namespace connect_ha {

// The rule does not apply to a node whose configuration names no PostgreSQL database.
void SayNoDatabase(const v1::NodeSnapshot& node, Verdict& verdict);
// A fact is missing that only a query gives; why, as far as the stages tell.
void SayUnanswered(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                   Verdict& verdict);

}  // namespace connect_ha
