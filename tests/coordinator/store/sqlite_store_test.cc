#include "coordinator/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/store/schema.h"
#include "tests/contract/store_contract.h"

namespace connect_ha {
namespace {

std::string PathOf(const std::string& name) { return testing::TempDir() + name + ".db"; }

std::unique_ptr<Store> OpenSqlite(const std::string& name) {
  auto store = SqliteStore::Open(PathOf(name));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

void EraseSqlite(const std::string& name) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    unlink((PathOf(name) + suffix).c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         testing::Values(StoreUnderTest{OpenSqlite, EraseSqlite}));

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest()
      : name_(absl::StrCat("sqlite_", getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name())),
        path_(PathOf(name_)) {}
  ~SqliteStoreTest() override { EraseSqlite(name_); }

  const std::string name_;
  const std::string path_;
};

v1::NodeReport Report(int number, size_t size = 0) {
  v1::NodeReport report;
  report.set_node(absl::StrCat("node-", number));
  report.set_facts_digest(std::string(size, 'x'));
  return report;
}

// Writes reports and acknowledges each through the pipe, as the coordinator does, until killed.
[[noreturn]] void WriteAndAcknowledge(const std::string& path, int acks) {
  auto store = SqliteStore::Open(path);
  if (!store.ok()) _exit(1);
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&, t] {
      for (int i = t;; i += 4) {
        if (!(*store)->PutReport(Report(i, 2000)).ok()) _exit(2);
        if (write(acks, &i, sizeof i) != sizeof i) _exit(3);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(4);
}

TEST_F(SqliteStoreTest, WhateverWasAcknowledgedIsThereAfterKill9) {
  int acks[2];
  ASSERT_EQ(pipe(acks), 0);
  const pid_t child = fork();
  if (child == 0) WriteAndAcknowledge(path_, acks[1]);
  close(acks[1]);
  std::vector<int> acknowledged;
  int number = 0;
  while (read(acks[0], &number, sizeof number) == sizeof number) {
    acknowledged.push_back(number);
    if (acknowledged.size() == 500) kill(child, SIGKILL);
  }
  close(acks[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  std::set<std::string> stored;
  const auto reports = (*store)->ListReports();
  for (const v1::NodeReport& report : *reports) stored.insert(report.node());
  ASSERT_GE(acknowledged.size(), 500u);
  for (const int ack : acknowledged) EXPECT_EQ(stored.count(absl::StrCat("node-", ack)), 1u) << ack;
}

TEST_F(SqliteStoreTest, FileIsForItsOwnerOnly) {
  ASSERT_TRUE(SqliteStore::Open(path_).ok());
  struct stat file {};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(SqliteStoreTest, NewerSchemaIsRefused) {
  {
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 99").ok());
  }
  const absl::Status status = SqliteStore::Open(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            absl::StrCat("store has schema 99, this program knows up to ", SchemaVersion(),
                         "\nfix: install the connect-ha that wrote it, or a newer one (this is "
                         "" CONNECT_HA_VERSION ")"));
}

// As the first release made it.
constexpr char kFirstSchema[] = R"sql(
  PRAGMA journal_mode = WAL;
  CREATE TABLE nodes (name TEXT PRIMARY KEY, record BLOB NOT NULL);
  CREATE TABLE reports (node TEXT PRIMARY KEY, report BLOB NOT NULL);
  CREATE TABLE findings (rule TEXT PRIMARY KEY, position INTEGER NOT NULL,
                         finding BLOB NOT NULL);
  CREATE TABLE evaluation (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                           evaluated_at_us INTEGER NOT NULL);
  CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,
                       node TEXT NOT NULL, rule TEXT NOT NULL, event BLOB NOT NULL);
  CREATE INDEX events_by_node ON events (node, id);
  CREATE INDEX events_by_rule ON events (rule, id);
  CREATE INDEX events_by_kind ON events (kind, node, id);
  CREATE TABLE tokens (id TEXT PRIMARY KEY, created_us INTEGER NOT NULL, token BLOB NOT NULL);
  INSERT INTO nodes VALUES ('node-1', X'0A066E6F64652D31');  -- name: "node-1"
  INSERT INTO reports VALUES ('node-1', X'0A066E6F64652D31');
  INSERT INTO findings VALUES ('a-rule', 0, X'0A06612D72756C65');  -- rule: "a-rule"
  INSERT INTO evaluation VALUES (1, 1700000000000000);
  INSERT INTO events VALUES (41, 2, 'node-1', '', X'4A056A6F696E73');  -- text: "joins"
  INSERT INTO tokens VALUES ('t', 1, X'0A030A0174');  -- token { id: "t" }
  PRAGMA user_version = 1;
)sql";

TEST_F(SqliteStoreTest, AStoreOfTheFirstReleaseOpensAndLosesNothing) {
  ASSERT_TRUE((*Database::Open(path_, 0))->Execute(kFirstSchema).ok());
  for (int opening = 1; opening <= 2; ++opening) {
    const auto store = SqliteStore::Open(path_);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->ListNodes()->at(0).name(), "node-1");
    EXPECT_EQ((*store)->ListNodes()->at(0).changes_taken(), 0u);
    EXPECT_EQ((*store)->ListReports()->at(0).node(), "node-1");
    EXPECT_EQ((*store)->GetChecklist()->findings(0).rule(), "a-rule");
    EXPECT_EQ((*store)->ListTokens()->at(0).token().id(), "t");
    EXPECT_EQ((*store)->ListSpecs()->size(), static_cast<size_t>(opening - 1));
    v1::SpecGeneration spec;
    spec.set_generation(static_cast<uint64_t>(opening));
    EXPECT_TRUE((*store)->AddSpec(spec, spec.generation() - 1, v1::Event()).ok());
    EXPECT_EQ((*store)->ListEvents({})->at(0).id(), 41u);
    EXPECT_EQ((*store)->ListEvents({})->at(0).text(), "joins");
    EXPECT_EQ((*store)->ListEvents({})->size(), static_cast<size_t>(opening + 1));
  }
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
    for (int i = 0; i < 50; ++i) ASSERT_TRUE((*store)->PutReport(Report(i, 3000)).ok());
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(200'000, '\xff');
  }
  auto store = SqliteStore::Open(path_);
  const absl::Status status = store.ok() ? (*store)->ListReports().status() : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(SqliteStoreTest, SecondCoordinatorIsRefused) {
  const auto first = SqliteStore::Open(path_);
  const absl::Status second = SqliteStore::Open(path_).status();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(second.message(), "another coordinator has it open")) << second;
}

TEST_F(SqliteStoreTest, WriteWaitsForAShortLockAndNamesALongOne) {
  auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  auto other = Database::Open(path_, 0);
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());
  const absl::Status locked = (*store)->PutReport(Report(1));
  ASSERT_TRUE((*other)->Execute("COMMIT").ok());
  const absl::Status afterwards = (*store)->PutReport(Report(1));
  EXPECT_EQ(locked.code(), absl::StatusCode::kUnavailable) << locked;
  EXPECT_TRUE(absl::StrContains(locked.message(), "fix: end that process (fuser")) << locked;
  EXPECT_TRUE(afterwards.ok()) << afterwards;
}

// In a child, since the limit is the process's.
int WriteUntilNoRoom(const std::string& path) {
  signal(SIGXFSZ, SIG_IGN);
  auto store = SqliteStore::Open(path);
  if (!store.ok() || !(*store)->PutReport(Report(0)).ok()) return 1;
  const rlimit limit{256 * 1024, 256 * 1024};
  setrlimit(RLIMIT_FSIZE, &limit);
  absl::Status status;
  int written = 0;
  for (; status.ok() && written < 1000; ++written) status = (*store)->PutReport(Report(1, 50'000));
  if (status.code() != absl::StatusCode::kResourceExhausted) return 2;
  if (!absl::StrContains(status.message(), "fix: make room")) return 3;
  const auto reports = (*store)->ListReports();
  return reports.ok() && reports->size() == 2 ? 0 : 4;
}

TEST_F(SqliteStoreTest, FullDiskIsAnErrorThatSaysSoAndReadingGoesOn) {
  const pid_t child = fork();
  if (child == 0) _exit(WriteUntilNoRoom(path_));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto store = SqliteStore::Open(path_);
  EXPECT_TRUE(store.ok()) << store.status();
}

TEST_F(SqliteStoreTest, EventsBeyondTheNewestHundredThousandAreDropped) {
  auto store = SqliteStore::Open(path_);
  std::vector<v1::Event> many(50'000);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*store)->AddEvents(many).ok());
  EventQuery all;
  all.limit = 1'000'000;
  const auto events = (*store)->ListEvents(all);
  EXPECT_EQ(events->size(), 100'000u);
  EXPECT_EQ(events->back().id(), 150'000u);
}

}  // namespace
}  // namespace connect_ha
