// The embedded store: one SQLite file in WAL mode, every commit synced to disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/store/group_commit.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_open.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// superseded() looks into the file: for once a second, not for every call.
class SqliteStore : public Store {
 public:
  // Creates the file (0600) or brings its schema up to date, and counts its epoch up.
  // FailedPrecondition when a newer program wrote it, Unavailable when another coordinator has it
  // open.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);
  // With a clock of its own.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path, Time now);

  uint64_t epoch() const override { return opened_.epoch; }
  const std::string& lineage() const override { return opened_.lineage; }
  bool superseded() const override;

  absl::Status AddNode(const v1::NodeRecord& node) override;
  absl::StatusOr<v1::NodeRecord> GetNode(const std::string& name) override;
  absl::StatusOr<std::vector<v1::NodeRecord>> ListNodes() override;
  absl::StatusOr<v1::NodeRecord> RemoveNode(const std::string& name, const v1::AuditEntry& entry,
                                            Time now) override;
  absl::StatusOr<std::vector<std::string>> PurgeNodes(Time removed_before) override;

  absl::Status PutReport(const v1::NodeReport& report) override;
  absl::Status VisitReports(const std::function<absl::Status(v1::NodeReport)>& visit) override;

  absl::Status PutMemories(Time evaluated_at, const std::vector<v1::FindingMemory>& changed,
                           const std::vector<std::string>& gone,
                           const std::vector<v1::Event>& events) override;
  absl::StatusOr<Memories> GetMemories() override;

  absl::StatusOr<uint64_t> AddEvent(const v1::Event& event) override;
  absl::Status AddEvents(const std::vector<v1::Event>& events) override;
  absl::StatusOr<std::vector<v1::Event>> ListEvents(const EventQuery& query) override;
  absl::StatusOr<std::vector<v1::Event>> ListLosses() override;

  std::optional<std::chrono::steady_clock::time_point> writing_since() const override {
    return commits_.committing_since();
  }

  absl::StatusOr<uint64_t> AddNodeChanges(const std::string& node,
                                          const std::vector<NumberedEvent>& changes) override;

  absl::Status AddSpec(const v1::SpecGeneration& spec, uint64_t newest, const v1::Event& applied,
                       const v1::AuditEntry& entry) override;
  absl::StatusOr<v1::SpecGeneration> GetSpec(uint64_t generation) override;
  absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecs() override;

  // sqlite_store_plan.cc
  absl::StatusOr<Plan> GetPlan() override;
  absl::StatusOr<uint64_t> PlanRevision() override;
  absl::Status PutPlan(const PlanChange& change) override;
  absl::StatusOr<std::vector<v1::Rollout>> ListRollouts(uint32_t limit) override;
  absl::StatusOr<v1::Word> AddWord(const v1::Word& word, const v1::Event& given,
                                   const v1::AuditEntry& entry) override;
  absl::StatusOr<std::vector<v1::Word>> RemoveWords(const std::vector<uint64_t>& numbers,
                                                    const std::vector<v1::Event>& events,
                                                    const v1::AuditEntry& entry) override;

  absl::Status AddToken(const v1::StoredToken& token, const v1::AuditEntry& entry) override;
  absl::StatusOr<v1::StoredToken> GetToken(const std::string& id) override;
  absl::StatusOr<std::vector<v1::StoredToken>> ListTokens() override;
  absl::Status RevokeToken(const std::string& id, const v1::AuditEntry& entry) override;
  absl::StatusOr<v1::NodeRecord> SpendToken(const std::string& id, const v1::StoredToken::Use& use,
                                            const ChangeNode& change, const v1::AuditEntry& entry,
                                            Time now) override;

  absl::StatusOr<v1::AdminRecord> ChangeAdminRecord(const std::string& name,
                                                    const ChangeAdmin& change,
                                                    const v1::AuditEntry& entry) override;
  absl::StatusOr<v1::AdminRecord> GetAdmin(const std::string& name) override;
  absl::StatusOr<std::vector<v1::AdminRecord>> ListAdmins() override;

  absl::Status AddAudit(const v1::AuditEntry& entry) override;
  absl::StatusOr<std::vector<v1::AuditEntry>> ListAudit(uint64_t after_id, uint32_t limit) override;
  absl::StatusOr<std::optional<v1::AuditAnchor>> GetAuditAnchor() override;
  absl::StatusOr<uint64_t> NewestAuditId() override;
  absl::Status PruneAudit(Time before) override;

 private:
  SqliteStore(std::string path, OpenedStore opened);

  // NotFound: it is removed, or not known.
  static absl::Status CheckNodeIsThere(Database& database, const std::string& name);
  // FailedPrecondition: the epoch in the file is another's by now, or the file is another one.
  absl::Status CheckEpoch(Database& database) const;

  const std::string path_;
  OpenedStore opened_;
  mutable std::mutex reader_mutex_;  // for opened_.reader
  mutable std::atomic<bool> superseded_{false};
  GroupCommit commits_;  // writes to opened_.writer, each group after CheckEpoch
};

}  // namespace connect_ha
