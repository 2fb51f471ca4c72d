#include "coordinator/checklist/database_answer.h"

#include "coordinator/checklist/facts_view.h"

namespace connect_ha {

void SayNoDatabase(const v1::NodeSnapshot& node, Verdict& verdict) {
  verdict.NotApplicable(node.name(), "no PostgreSQL database is configured");
}

void SayUnanswered(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                   Verdict& verdict) {
  if (const auto trouble = DatabaseTrouble(database)) {
    verdict.Unknown(node.name(), *trouble, "connect-ha checklist --rule database-reachable");
  } else {
    verdict.Unknown(node.name(), "the database was not asked");
  }
}

}  // namespace connect_ha
