#include "coordinator/store/rows/rollout_rows.h"

#include <string>

#include "common/time.h"
#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

constexpr int64_t kRolloutsKept = 1000;

absl::Status AddRolloutRow(Database& database, const v1::Rollout& rollout) {
  const std::string bytes = Bytes(rollout);
  return database
      .Prepare("INSERT OR REPLACE INTO rollouts (generation, began_us, rollout) VALUES (?, ?, ?)")
      .Bind(AsInteger(rollout.generation()))
      .Bind(int64_t{FromProto(rollout.began_at()).time_since_epoch().count()})
      .BindBlob(bytes)
      .Run();
}

}  // namespace

absl::Status AddRolloutRows(Database& database, const std::vector<v1::Rollout>& ended) {
  if (ended.empty()) return absl::OkStatus();
  for (const v1::Rollout& rollout : ended) {
    const absl::Status added = AddRolloutRow(database, rollout);
    if (!added.ok()) return added;
  }
  return database
      .Prepare(
          "DELETE FROM rollouts WHERE rowid NOT IN (SELECT rowid FROM rollouts "
          "ORDER BY generation DESC, began_us DESC LIMIT ?)")
      .Bind(kRolloutsKept)
      .Run();
}

absl::StatusOr<std::vector<v1::Rollout>> ListRolloutRows(Database& database, uint32_t limit) {
  Statement statement = database.Prepare(
      "SELECT rollout FROM rollouts ORDER BY generation DESC, began_us DESC LIMIT ?");
  statement.Bind(int64_t{limit});
  return ReadAll<v1::Rollout>(statement);
}

}  // namespace connect_ha
