#include "common/checklist/view/database_answer.h"

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {

void SayNoDatabase(const v1::NodeSnapshot& node, Verdict& verdict) {
  verdict.NotApplicable(node.name(), "no PostgreSQL database is configured");
}

void SayUnanswered(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                   Verdict& verdict) {
  if (const auto trouble = DatabaseTrouble(database)) {
    verdict.Unknown(node.name(), *trouble);
  } else {
    verdict.Unknown(node.name(), "the database was not asked");
  }
}

v1::Finding JudgeDatabases(const v1::Snapshot& cluster, std::initializer_list<const char*> fields,
                           const JudgeDatabase& judge) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "")) continue;  // once, not for each database
    for (const DatabaseNoun& noun : kDatabases) {
      bool known = !verdict.Unobserved(node, noun.path);
      for (const char* field : fields) {
        known = known && !verdict.Unobserved(node, absl::StrCat(noun.path, ".", field));
      }
      if (!known) continue;
      if (const v1::DatabaseFacts* database = noun.get(node.facts())) {
        judge(node, noun, *database, verdict);
      } else if (&noun == &kDatabases.front()) {
        SayNoDatabase(node, verdict);
      }
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
