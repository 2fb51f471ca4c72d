// Copies of a store's file, put back or carried to another host, and a file that is replaced while
// it is open.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "tests/coordinator/store/sqlite_stores.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class SqliteEpochTest : public SqliteStoreTest {
 protected:
  ~SqliteEpochTest() override { EraseSqlite(copy_name_); }

  uint64_t EpochOfOpening(const std::string& path, Time now) {
    const auto store = SqliteStore::Open(path, now);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? (*store)->epoch() : 0;
  }
  // Of the store while nobody has it open.
  void TakeCopy() {
    std::filesystem::copy_file(path_, copy_, std::filesystem::copy_options::overwrite_existing);
  }

  const std::string copy_name_ = name_ + "_copy";
  const std::string copy_ = PathOf(copy_name_);
};

void ExpectEveryWriteRefused(Store& store) {
  for (const auto& [write, status] : TryEveryWrite(store)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << write << ": " << status;
  }
  EXPECT_TRUE(store.superseded());
}

TEST_F(SqliteEpochTest, AStoreWhoseFileWasReplacedByACopyIsRefusedAndTheCopyIsNot) {
  EpochOfOpening(path_, kNoon);
  TakeCopy();
  const auto first = SqliteStore::Open(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  Furnish(**first);
  PutBack(copy_);
  EXPECT_TRUE((*first)->superseded());
  ExpectEveryWriteRefused(**first);

  const auto second = OpenSqliteWithoutItsLock(name_);
  ASSERT_NE(second, nullptr);
  EXPECT_GT(second->epoch(), (*first)->epoch());
  EXPECT_EQ(second->lineage(), (*first)->lineage());
  EXPECT_TRUE(second->ListNodes()->empty());
  ExpectEveryWriteRefused(**first);
  EXPECT_TRUE(second->ListNodes()->empty());
  EXPECT_TRUE(second->AddNode(ANode("new")).ok());
  EXPECT_FALSE(second->superseded());
}

TEST_F(SqliteEpochTest, AStoreWhoseFileWasAwayForAWhileIsRefusedForEver) {
  const auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  std::filesystem::rename(path_, copy_);
  EXPECT_TRUE((*store)->superseded());
  std::filesystem::rename(copy_, path_);
  ExpectEveryWriteRefused(**store);
}

TEST_F(SqliteEpochTest, AWriteFindsOutByItselfThatTheFileWasRemoved) {
  const auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  unlink(path_.c_str());
  const absl::Status status = (*store)->AddNode(ANode("a"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "fix: leave one coordinator running")) << status;
}

TEST_F(SqliteEpochTest, ACopyThatIsPutBackOnAnotherMachineGivesNoEpochTwice) {
  EpochOfOpening(path_, kNoon);
  TakeCopy();
  uint64_t given = 0;
  for (int i = 0; i < 3; ++i) given = EpochOfOpening(path_, kNoon);
  PutBack(copy_);
  unlink((path_ + ".lock").c_str());
  EXPECT_GT(EpochOfOpening(path_, kNoon + seconds(1)), given);
}

TEST_F(SqliteEpochTest, ACopyThatIsPutBackWhereTheClockIsBehindGivesNoEpochTwice) {
  EpochOfOpening(path_, kNoon);
  TakeCopy();
  uint64_t given = 0;
  for (int i = 0; i < 3; ++i) given = EpochOfOpening(path_, kNoon);
  PutBack(copy_);
  EXPECT_GT(EpochOfOpening(path_, kNoon - hours(24)), given);
}

TEST_F(SqliteEpochTest, AClockThatIsSetBackCountsUpAllTheSame) {
  const uint64_t first = EpochOfOpening(path_, kNoon);
  const uint64_t second = EpochOfOpening(path_, kNoon - hours(1));
  unlink((path_ + ".lock").c_str());
  const uint64_t third = EpochOfOpening(path_, Time{} - hours(1));
  EXPECT_EQ(first, static_cast<uint64_t>(kNoon.time_since_epoch().count()));
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(third, second + 1);
}

TEST_F(SqliteEpochTest, TwoHostsWithCopiesOfOneStoreAreOrderedByWhenTheyOpenedIt) {
  EpochOfOpening(path_, kNoon);
  TakeCopy();
  const auto here = SqliteStore::Open(path_, kNoon + seconds(1));
  const auto there = SqliteStore::Open(copy_, kNoon + seconds(2));
  ASSERT_TRUE(here.ok() && there.ok());
  EXPECT_LT((*here)->epoch(), (*there)->epoch());
  EXPECT_EQ((*here)->lineage(), (*there)->lineage());
}

TEST_F(SqliteEpochTest, ALockFileThatSaysNothingIsNotBelieved) {
  const uint64_t first = EpochOfOpening(path_, kNoon);
  // From 2^62 on it is no time; one more than the greatest number would be 0, and show nothing.
  for (const char* text : {"", "not a number", "99999999999999999999999", "18446744073709551615",
                           "9223372036854775806", "4611686018427387904"}) {
    std::ofstream(path_ + ".lock") << text;
    const auto store = SqliteStore::Open(path_, kNoon + seconds(1));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_GT((*store)->epoch(), first) << text;
    EXPECT_LT((*store)->epoch(), first + 2'000'000) << text;
  }
}

TEST_F(SqliteEpochTest, SecondCoordinatorIsRefusedAndTheFirstGoesOn) {
  const auto first = SqliteStore::Open(path_);
  const absl::Status second = SqliteStore::Open(path_).status();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(second.message(), "another coordinator has it open")) << second;
  EXPECT_FALSE((*first)->superseded());
  EXPECT_TRUE((*first)->AddNode(ANode("a")).ok());
}

TEST_F(SqliteEpochTest, AnOpeningThatFailsLeavesTheStoreToTheNextOne) {
  EpochOfOpening(path_, kNoon);
  {
    auto other = Database::Open(path_, 0);
    ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());
    EXPECT_EQ(SqliteStore::Open(path_).status().code(), absl::StatusCode::kUnavailable);
    ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  }
  const auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->AddNode(ANode("a")).ok());
}

}  // namespace
}  // namespace connect_ha
