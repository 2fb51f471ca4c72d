#include "coordinator/store/rows/memory_rows.h"

#include <chrono>
#include <utility>

#include "coordinator/store/rows/rows.h"

namespace connect_ha {

absl::Status PutMemoryRow(Database& database, const v1::FindingMemory& memory) {
  const std::string bytes = Bytes(memory);
  return database.Prepare("INSERT OR REPLACE INTO memories (rule, memory) VALUES (?, ?)")
      .Bind(memory.rule())
      .BindBlob(bytes)
      .Run();
}

absl::Status PutMemoryRows(Database& database, Time evaluated_at,
                           const std::vector<v1::FindingMemory>& changed,
                           const std::vector<std::string>& gone) {
  for (const std::string& rule : gone) {
    const absl::Status dropped =
        database.Prepare("DELETE FROM memories WHERE rule = ?").Bind(rule).Run();
    if (!dropped.ok()) return dropped;
  }
  for (const v1::FindingMemory& memory : changed) {
    const absl::Status put = PutMemoryRow(database, memory);
    if (!put.ok()) return put;
  }
  return database.Prepare("INSERT OR REPLACE INTO evaluation VALUES (1, ?)")
      .Bind(int64_t{evaluated_at.time_since_epoch().count()})
      .Run();
}

absl::StatusOr<Store::Memories> GetMemoryRows(Database& database) {
  Store::Memories memories;
  // Both are read in one transaction: it lasts as long as this statement.
  Statement evaluation = database.Prepare("SELECT evaluated_at_us FROM evaluation");
  const auto row = evaluation.Step();
  if (!row.ok()) return row.status();
  if (!*row) return memories;
  memories.evaluated_at = Time(std::chrono::microseconds(evaluation.Integer(0)));
  Statement statement = database.Prepare("SELECT memory FROM memories ORDER BY rule");
  auto findings = ReadAll<v1::FindingMemory>(statement);
  if (!findings.ok()) return findings.status();
  memories.findings = *std::move(findings);
  return memories;
}

}  // namespace connect_ha
