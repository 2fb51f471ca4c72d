// A roster and an evaluator on a real store, at times that the test says.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/evaluator.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/sqlite_store.h"

namespace connect_ha {

class RosterFixture : public testing::Test {
 protected:
  RosterFixture() {
    std::string dir = testing::TempDir() + "roster_XXXXXX";
    dir_ = mkdtemp(dir.data());
    Start(noon_);
  }
  ~RosterFixture() override {
    End();
    std::filesystem::remove_all(dir_);
  }

  // As a coordinator's start: what was in memory is gone.
  void Start(Time now) {
    End();
    store_ = *SqliteStore::Open(dir_ + "/store.db");
    roster_ = std::make_unique<Roster>(*store_, now);
    ASSERT_TRUE(roster_->Load().ok());
    evaluator_ = std::make_unique<Evaluator>(*roster_, *store_);
    ASSERT_TRUE(evaluator_->Load().ok());
  }
  void End() {
    evaluator_.reset();
    roster_.reset();
    store_.reset();
  }
  void Enrol(const std::string& name) {
    v1::NodeRecord record;
    record.set_name(name);
    ASSERT_TRUE(store_->AddNode(record).ok());
    roster_->Enrolled(record);
  }
  void Remove(const std::string& name, Time now) {
    const absl::Status removed = roster_->Remove(
        name, [&] { return store_->RemoveNode(name, v1::AuditEntry(), now).status(); });
    ASSERT_TRUE(removed.ok()) << removed;
  }
  v1::HeartbeatResponse Hear(const v1::HeartbeatRequest& request, Time now) {
    const auto response = roster_->Heartbeat(request, "10.0.0.1", now);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::HeartbeatResponse();
  }
  v1::NodeSnapshot Node(const std::string& name, Time now) { return *roster_->TakeNode(name, now); }

  std::vector<v1::Event> StoredEvents() {
    EventQuery query;
    query.limit = 100'000;
    return *store_->ListEvents(query);
  }
  // "NODE_LOST a: not heard for 31s"
  std::vector<std::string> Events() {
    std::vector<std::string> texts;
    for (const v1::Event& event : StoredEvents()) {
      texts.push_back(absl::StrCat(v1::Event::Kind_Name(event.kind()), " ", event.node(),
                                   event.rule(), ": ", event.text()));
    }
    return texts;
  }
  size_t CountEvents(v1::Event::Kind kind) {
    size_t count = 0;
    for (const v1::Event& event : StoredEvents()) count += event.kind() == kind ? 1 : 0;
    return count;
  }
  std::vector<v1::NodeReport> Reports() {
    std::vector<v1::NodeReport> reports;
    const absl::Status visited = store_->VisitReports([&](v1::NodeReport report) {
      reports.push_back(std::move(report));
      return absl::OkStatus();
    });
    EXPECT_TRUE(visited.ok()) << visited;
    return reports;
  }
  static v1::Facts FactsOf(const v1::NodeReport& report) {
    v1::Facts facts;
    EXPECT_TRUE(facts.ParseFromString(report.facts_bytes()));
    return facts;
  }

  const Time noon_{std::chrono::seconds(1'700'000'000)};
  std::string dir_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<Evaluator> evaluator_;
};

// While it lives, nothing can be written: somebody else is writing.
class BusyStore {
 public:
  explicit BusyStore(const std::string& dir) : other_(*Database::Open(dir + "/store.db", 0)) {
    EXPECT_TRUE(other_->Execute("BEGIN IMMEDIATE").ok());
  }
  ~BusyStore() { EXPECT_TRUE(other_->Execute("COMMIT").ok()); }
  BusyStore(const BusyStore&) = delete;
  BusyStore& operator=(const BusyStore&) = delete;

 private:
  std::unique_ptr<Database> other_;
};

}  // namespace connect_ha
