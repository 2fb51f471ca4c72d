// The embedded store: one SQLite file in WAL mode, every commit synced to disk.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "coordinator/store/group_commit.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class SqliteStore : public Store {
 public:
  // Creates the file (0600) or brings its schema up to date. FailedPrecondition when a newer
  // program wrote it, Unavailable when another coordinator has it open.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);
  ~SqliteStore() override;

  absl::Status PutNode(const v1::NodeRecord& node) override;
  absl::StatusOr<v1::NodeRecord> GetNode(const std::string& name) override;
  absl::StatusOr<std::vector<v1::NodeRecord>> ListNodes() override;

  absl::Status PutReport(const v1::NodeReport& report) override;
  absl::Status RemoveReport(const std::string& node) override;
  absl::StatusOr<std::vector<v1::NodeReport>> ListReports() override;

  absl::Status PutChecklist(const v1::Checklist& checklist,
                            const std::vector<v1::Event>& changes) override;
  absl::StatusOr<v1::Checklist> GetChecklist() override;

  absl::StatusOr<uint64_t> AddEvent(const v1::Event& event) override;
  absl::Status AddEvents(const std::vector<v1::Event>& events) override;
  absl::StatusOr<std::vector<v1::Event>> ListEvents(const EventQuery& query) override;
  absl::StatusOr<std::vector<v1::Event>> ListLosses() override;

  std::optional<std::chrono::steady_clock::time_point> writing_since() const override {
    return commits_.committing_since();
  }

  absl::StatusOr<uint64_t> AddNodeChanges(const std::string& node,
                                          const std::vector<NumberedEvent>& changes) override;

  absl::Status AddSpec(const v1::SpecGeneration& spec, uint64_t newest,
                       const v1::Event& applied) override;
  absl::StatusOr<v1::SpecGeneration> GetSpec(uint64_t generation) override;
  absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecs() override;

  absl::Status AddToken(const v1::StoredToken& token) override;
  absl::StatusOr<v1::StoredToken> GetToken(const std::string& id) override;
  absl::StatusOr<std::vector<v1::StoredToken>> ListTokens() override;
  absl::Status RevokeToken(const std::string& id) override;
  absl::Status SpendToken(const std::string& id, const v1::StoredToken::Use& use,
                          const v1::NodeRecord& node, Time now) override;

 private:
  SqliteStore(int lock, std::unique_ptr<Database> writer, std::unique_ptr<Database> reader);

  const int lock_;  // a file descriptor that holds the lock of this file's only coordinator
  std::unique_ptr<Database> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Database> reader_;
  GroupCommit commits_;
};

}  // namespace connect_ha
