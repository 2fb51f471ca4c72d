// What is SQLite's alone: its file, and what becomes of rows that somebody else wrote.
#include "coordinator/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/audit_chain.h"
#include "coordinator/store/store_wait.h"
#include "tests/coordinator/store/sqlite_stores.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         testing::Values(StoreUnderTest{OpenSqlite, OpenSqliteWithoutItsLock,
                                                        EraseSqlite}));

unsigned ModeOf(const std::string& path) {
  struct stat file {};
  EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
  return file.st_mode & 0777;
}

TEST_F(SqliteStoreTest, ItsFilesAreForTheirOwnerOnly) {
  const mode_t before = umask(0);
  {
    const auto store = SqliteStore::Open(path_);
    umask(before);
    ASSERT_TRUE(store.ok() && (*store)->AddNode(ANode("a")).ok());
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
      EXPECT_EQ(ModeOf(path_ + suffix), 0600u) << suffix;
    }
  }
  chmod(path_.c_str(), 0644);  // as a copy that was put back may be
  const auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok() && (*store)->AddNode(ANode("b")).ok());
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_EQ(ModeOf(path_ + "-wal"), 0600u);
}

TEST_F(SqliteStoreTest, FileThatIsNoStoreIsRefusedAndLeftAlone) {
  const std::string text(8192, 'x');
  std::ofstream(path_) << text;
  const absl::Status status = SqliteStore::Open(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "fix: restore a copy")) << status;
  std::ifstream file(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteStoreTest, DamagedPagesAreAnErrorNotAnEmptyList) {
  {
    auto store = SqliteStore::Open(path_);
    for (int i = 0; i < 50; ++i) {
      const std::string name = absl::StrCat("node-", i);
      ASSERT_TRUE((*store)->AddNode(ANode(name)).ok());
      ASSERT_TRUE((*store)->PutReport(AReport(name, std::string(3000, 'x'))).ok());
    }
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(200'000, '\xff');
  }
  auto store = SqliteStore::Open(path_);
  const auto visit = [](const v1::NodeReport&) { return absl::OkStatus(); };
  const absl::Status status = store.ok() ? (*store)->VisitReports(visit) : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(SqliteStoreTest, WriteWaitsForAShortLockAndNamesALongOne) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  auto other = Database::Open(path_, 0);
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());
  const absl::Status locked = (*store)->AddNode(ANode("a"));
  ASSERT_TRUE((*other)->Execute("COMMIT").ok());
  const absl::Status afterwards = (*store)->AddNode(ANode("a"));
  EXPECT_EQ(locked.code(), absl::StatusCode::kUnavailable) << locked;
  EXPECT_TRUE(absl::StrContains(locked.message(), "fix: end that process (fuser")) << locked;
  EXPECT_TRUE(afterwards.ok()) << afterwards;
}

// What nodes send may push out what nodes sent, and nothing else.
// One reader at a time: who asks whether it is superseded may wait for another one's disk.
TEST_F(SqliteStoreTest, WhoAsksWhetherItIsSupersededIsSeenToWait) {
  const auto opened = SqliteStore::Open(path_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  SqliteStore& store = **opened;
  ASSERT_TRUE(store.AddNode(ANode("a")).ok() && store.PutReport(AReport("a", "1")).ok());
  const StoreWaits own;
  bool seen = false;
  std::promise<void> visiting;
  std::thread reader([&] {
    const absl::Status visited = store.VisitReports([&](const v1::NodeReport&) {
      visiting.set_value();
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (!seen && std::chrono::steady_clock::now() < until) {
        seen = own.Look().since.has_value();
        std::this_thread::yield();
      }
      return absl::OkStatus();
    });
    EXPECT_TRUE(visited.ok()) << visited;
  });
  visiting.get_future().wait();
  EXPECT_FALSE(store.superseded());
  reader.join();
  EXPECT_TRUE(seen);
}

TEST_F(SqliteStoreTest, EventsBeyondTheNewestHundredThousandAreDroppedAndNoEntryOfTheAuditLog) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE((*store)->AddAudit(AnEntry("before all of them")).ok());
  std::vector<v1::Event> many(50'000);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*store)->AddEvents(many).ok());
  const auto events = Events(**store);
  EXPECT_EQ(events.size(), 100'000u);
  EXPECT_EQ(events.back().id(), 150'000u);
  EXPECT_EQ(Entries(**store).size(), 1u);
}

// Only what changed is written: the rows of the other rules stay as they are.
TEST_F(SqliteStoreTest, PuttingOneRulesMemoryWritesNoOtherRow) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE((*store)
                  ->PutMemories(kNoon, {AMemory("one", v1::PASS), AMemory("two", v1::PASS)}, {}, {})
                  .ok());
  auto other = Database::Open(path_, 2000);
  ASSERT_TRUE((*other)
                  ->Execute("CREATE TABLE written (rule TEXT);"
                            "CREATE TRIGGER note AFTER INSERT ON memories BEGIN "
                            "INSERT INTO written VALUES (new.rule); END")
                  .ok());
  ASSERT_TRUE((*store)->PutMemories(kNoon, {AMemory("two", v1::FAIL)}, {}, {}).ok());
  Statement statement = (*other)->Prepare("SELECT group_concat(rule) FROM written");
  ASSERT_TRUE(statement.Step().ok());
  EXPECT_EQ(statement.Blob(0), "two");
}

class SqliteAuditTest : public SqliteStoreTest {
 protected:
  void SetUp() override {
    auto store = SqliteStore::Open(path_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE((*store)->AddAudit(AnEntry(absl::StrCat(i))).ok());
    ASSERT_TRUE(AuditIsWhole(**store));
    entries_ = Entries(**store);
  }
  // Somebody who can write the file, while no coordinator runs.
  void Tamper(const std::string& sql, const std::string& blob = "") {
    auto database = Database::Open(path_, 0);
    Statement statement = (*database)->Prepare(sql);
    if (!blob.empty()) statement.BindBlob(blob);
    const absl::Status done = statement.Run();
    ASSERT_TRUE(done.ok()) << done;
  }
  bool StillWhole() {
    auto store = SqliteStore::Open(path_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() && AuditIsWhole(**store);
  }

  std::vector<v1::AuditEntry> entries_;
};

TEST_F(SqliteAuditTest, AnEntryThatWasChangedIsSeen) {
  v1::AuditEntry changed = entries_[1];
  changed.set_actor("admin/mallory");
  Tamper("UPDATE audit SET entry = ? WHERE id = 2", changed.SerializeAsString());
  EXPECT_FALSE(StillWhole());
  changed.set_digest(AuditDigest(changed));
  Tamper("UPDATE audit SET entry = ? WHERE id = 2", changed.SerializeAsString());
  EXPECT_FALSE(StillWhole());
  Tamper("UPDATE audit SET entry = ? WHERE id = 2", entries_[1].SerializeAsString());
  EXPECT_TRUE(StillWhole());
}

TEST_F(SqliteAuditTest, AnEntryThatWasTakenOutIsSeenWhereverItStood) {
  for (const int id : {1, 2}) {
    Tamper(absl::StrCat("DELETE FROM audit WHERE id = ", id));
    EXPECT_FALSE(StillWhole()) << id;
    Tamper(absl::StrCat("INSERT INTO audit VALUES (", id, ", 0, ?)"),
           entries_[static_cast<size_t>(id - 1)].SerializeAsString());
    EXPECT_TRUE(StillWhole()) << id;
  }
  Tamper("DELETE FROM audit WHERE id = 3");
  EXPECT_FALSE(StillWhole());
  {
    auto store = SqliteStore::Open(path_);
    ASSERT_TRUE((*store)->AddAudit(AnEntry("in its place?")).ok());
    EXPECT_EQ(Entries(**store).back().id(), 4u);
  }
  EXPECT_FALSE(StillWhole());
}

TEST_F(SqliteAuditTest, LettingOldEntriesGoHidesNothingOfTheOthers) {
  Tamper("DELETE FROM audit WHERE id = 2");
  {
    auto store = SqliteStore::Open(path_);
    ASSERT_TRUE((*store)->PruneAudit(kNoon + std::chrono::hours(1)).ok());
  }
  EXPECT_FALSE(StillWhole());
}

}  // namespace
}  // namespace connect_ha
