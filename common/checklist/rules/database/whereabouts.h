// Which database a node uses, and where it has that from.
#pragma once

#include <string>
#include <vector>

#include "common/checklist/fix.h"
#include "common/checklist/view/database_answer.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// "db.example.com (10.0.1.5)"
std::string Whereabouts(const v1::DatabaseFacts& database);
// "connect/public on db.example.com"
std::string UsedDatabase(const v1::DatabaseFacts& database);

// For a node to come to the database that another one has. Both have this one.
Fixes SameFix(const DatabaseNoun& noun, const v1::NodeSnapshot& node,
              const v1::NodeSnapshot& right);
// Where nobody can tell which is right: how each of the nodes, which all have this database, comes
// to its own.
std::string WhatDecides(const std::vector<const v1::NodeSnapshot*>& nodes,
                        const DatabaseNoun& noun);

}  // namespace connect_ha
