#include "coordinator/store/group_commit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "coordinator/store/store_wait.h"

namespace connect_ha {
namespace {

class GroupCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = *Database::Open(":memory:", 0);
    ASSERT_TRUE(database_->Execute("CREATE TABLE numbers (n INTEGER UNIQUE)").ok());
  }
  int64_t Count() {
    Statement statement = database_->Prepare("SELECT count(*) FROM numbers");
    EXPECT_TRUE(statement.Step().ok());
    return statement.Integer(0);
  }
  static GroupCommit::Write Insert(int64_t n) {
    return [n](Database& database) {
      return database.Prepare("INSERT INTO numbers VALUES (?)").Bind(n).Run();
    };
  }

  static absl::Status Permit(Database&) { return absl::OkStatus(); }

  std::unique_ptr<Database> database_;
};

TEST_F(GroupCommitTest, AWriteThatFailsIsUndoneAndSparesTheOthers) {
  std::vector<absl::Status> statuses(40);
  {
    GroupCommit commits(*database_, Permit);
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i) {
      threads.emplace_back([&, i] {
        statuses[i] = commits.Commit([&, i](Database& database) -> absl::Status {
          const absl::Status inserted = Insert(i)(database);
          return i % 4 == 0 ? absl::FailedPreconditionError("no fours") : inserted;
        });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(Count(), 30);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(statuses[i].code(),
              i % 4 == 0 ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kOk);
  }
}

TEST_F(GroupCommitTest, AWriteThatEndsTheTransactionFailsItsWholeGroupAndTheNextOneWorks) {
  absl::Status ended, next;
  {
    GroupCommit commits(*database_, Permit);
    ended = commits.Commit([](Database& database) -> absl::Status {
      const absl::Status inserted = Insert(1)(database);
      const absl::Status rolled_back = database.Execute("ROLLBACK");
      return inserted.ok() && rolled_back.ok() ? absl::ResourceExhaustedError("disk full")
                                               : absl::InternalError("not what was to be tried");
    });
    next = commits.Commit(Insert(2));
  }
  EXPECT_EQ(ended.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(next.ok()) << next;
  EXPECT_EQ(Count(), 1);
}

TEST_F(GroupCommitTest, TheGuardIsAskedInTheTransaction) {
  bool inside = false;
  GroupCommit commits(*database_, [&inside](Database& database) {
    inside = database.in_transaction();
    return absl::OkStatus();
  });
  EXPECT_TRUE(commits.Commit(Insert(1)).ok());
  EXPECT_TRUE(inside);
}

TEST_F(GroupCommitTest, WhatTheGuardForbidsIsNotWritten) {
  absl::Status forbidden, permitted;
  {
    bool permit = false;
    GroupCommit commits(*database_, [&](Database&) {
      return permit ? absl::OkStatus() : absl::FailedPreconditionError("not this one");
    });
    forbidden = commits.Commit(Insert(1));
    permit = true;
    permitted = commits.Commit(Insert(2));
  }
  EXPECT_EQ(forbidden, absl::FailedPreconditionError("not this one"));
  EXPECT_TRUE(permitted.ok()) << permitted;
  EXPECT_EQ(Count(), 1);
}

TEST_F(GroupCommitTest, AThreadWaitsForItsOwnWritesAlone) {
  GroupCommit commits(*database_, Permit);
  const StoreWaits own;
  std::promise<void> began, seen;
  std::thread other([&] {
    const absl::Status written = commits.Commit([&](Database&) {
      began.set_value();
      seen.get_future().wait();
      return absl::OkStatus();
    });
    EXPECT_TRUE(written.ok()) << written;
  });
  began.get_future().wait();
  EXPECT_TRUE(commits.committing_since().has_value());
  EXPECT_FALSE(own.Look().since.has_value());
  seen.set_value();
  other.join();
  EXPECT_EQ(own.Look().ended.count(), 0);

  std::optional<std::chrono::steady_clock::time_point> since;
  const absl::Status written = commits.Commit([&](Database&) {
    since = own.Look().since;
    return absl::OkStatus();
  });
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_TRUE(since.has_value());
  EXPECT_FALSE(own.Look().since.has_value());
  EXPECT_GT(own.Look().ended.count(), 0);
}

}  // namespace
}  // namespace connect_ha
