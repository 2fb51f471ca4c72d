// What the plan remembers, and what people said that holds until it is taken back.
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "coordinator/store/rows/audit_rows.h"
#include "coordinator/store/rows/event_rows.h"
#include "coordinator/store/rows/plan_rows.h"
#include "coordinator/store/rows/rollout_rows.h"
#include "coordinator/store/sqlite_store.h"

namespace connect_ha {

absl::StatusOr<Store::Plan> SqliteStore::GetPlan() {
  std::lock_guard lock(reader_mutex_);
  return GetPlanRows(*opened_.reader);
}

absl::StatusOr<uint64_t> SqliteStore::PlanRevision() {
  std::lock_guard lock(reader_mutex_);
  return PlanRevisionRow(*opened_.reader);
}

absl::Status SqliteStore::PutPlan(const PlanChange& change) {
  return commits_.Commit([&](Database& database) -> absl::Status {
    absl::Status put = PutPlanRows(database, change);
    if (put.ok()) put = AddRolloutRows(database, change.ended);
    if (put.ok()) put = AddEventRows(database, change.events);
    for (const v1::AuditEntry& entry : change.audits) {
      if (put.ok()) put = AddAuditRow(database, entry);
    }
    return put;
  });
}

absl::StatusOr<std::vector<v1::Rollout>> SqliteStore::ListRollouts(uint32_t limit) {
  std::lock_guard lock(reader_mutex_);
  return ListRolloutRows(*opened_.reader, limit);
}

absl::StatusOr<v1::Word> SqliteStore::AddWord(const v1::Word& word, const v1::Event& given,
                                              const v1::AuditEntry& entry) {
  v1::Word added;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    if (!word.node().empty()) {
      const absl::Status there = CheckNodeIsThere(database, word.node());
      if (!there.ok()) return there;
    }
    auto numbered = AddWordRow(database, word);
    if (!numbered.ok()) return numbered.status();
    added = *std::move(numbered);
    const absl::Status told = AddEventRow(database, given).status();
    return told.ok() ? AddAuditRow(database, entry) : told;
  });
  if (!status.ok()) return status;
  return added;
}

absl::StatusOr<std::vector<v1::Word>> SqliteStore::RemoveWords(const std::vector<uint64_t>& numbers,
                                                               const std::vector<v1::Event>& events,
                                                               const v1::AuditEntry& entry) {
  std::vector<v1::Word> removed;
  const absl::Status status = commits_.Commit([&](Database& database) -> absl::Status {
    auto words = RemoveWordRows(database, numbers);
    if (!words.ok()) return words.status();
    removed = *std::move(words);
    const absl::Status told = AddEventRows(database, events);
    return told.ok() ? AddAuditRow(database, entry) : told;
  });
  if (!status.ok()) return status;
  return removed;
}

}  // namespace connect_ha
