// What the plan remembers, and what people said, in a SQLite store. See store.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace connect_ha {

absl::StatusOr<uint64_t> PlanRevisionRow(Database& database);
absl::StatusOr<Store::Plan> GetPlanRows(Database& database);
// What is remembered and the words that ended; no more of it.
absl::Status PutPlanRows(Database& database, const Store::PlanChange& change);
// Returns it with its number.
absl::StatusOr<v1::Word> AddWordRow(Database& database, v1::Word word);
absl::StatusOr<std::vector<v1::Word>> RemoveWordRows(Database& database,
                                                     const std::vector<uint64_t>& numbers);
// Of a name that another machine has from now on, or none.
absl::Status ForgetPlanOf(Database& database, const std::string& node);
// And of a node that is no more, what was said of it.
absl::Status RemoveWordsOf(Database& database, const std::string& node);

}  // namespace connect_ha
