#include "common/checklist/view/database_answer.h"

#include "absl/strings/str_cat.h"
#include "common/checklist/fix.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {

std::string UrlSetting(const v1::NodeSnapshot& node, const DatabaseNoun& noun) {
  return absl::StrCat("Postgres.", noun.url, " in ",
                      SettingPlace(node.facts(), "Postgres", noun.url));
}

Fixes Reconfigure(const v1::NodeSnapshot& node, const std::string& note) {
  Fixes fixes = {ByHand(node.name(), note)};
  if (IsRunning(node.facts())) fixes.push_back(RestartConnect(node.name()));
  return fixes;
}

const v1::DatabaseStage* StageInTrouble(const v1::ClusterSpec& spec,
                                        const v1::DatabaseFacts& database) {
  const int64_t limit = DatabaseStageLimitUs(spec);
  for (const v1::DatabaseStage& stage : database.stages()) {
    if (!stage.passed() || stage.duration_us() > limit) return &stage;
  }
  return nullptr;
}

bool Answers(const v1::ClusterSpec& spec, const v1::DatabaseFacts& database) {
  return !database.stages().empty() &&
         database.stages().rbegin()->name() == v1::DatabaseStage::QUERY &&
         StageInTrouble(spec, database) == nullptr;
}

std::string Psql(const v1::DatabaseFacts& database, const std::string& query) {
  return absl::StrCat("psql -h ", ShellWord(database.host()), " -p ", database.port(), " -U ",
                      ShellWord(database.user()), " -d ", ShellWord(database.database()), " -c ",
                      ShellWord(query));
}

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
