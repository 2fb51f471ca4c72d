// Stores that earlier releases made.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/store/schema.h"
#include "tests/coordinator/store/sqlite_stores.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

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
  INSERT INTO evaluation VALUES (1, 1700000000000000);
  INSERT INTO events VALUES (41, 2, 'node-1', '', X'4A056A6F696E73');  -- text: "joins"
  INSERT INTO tokens VALUES ('t', 1, X'0A030A0174');  -- token { id: "t" }
  PRAGMA user_version = 1;
)sql";

// What the next one added.
constexpr char kSecondSchema[] = R"sql(
  CREATE TABLE specs (generation INTEGER PRIMARY KEY, header BLOB NOT NULL, bundle BLOB NOT NULL);
  PRAGMA user_version = 2;
)sql";

// As it was before changes of the cluster were remembered; its plan has given orders.
constexpr char kFourthSchema[] = R"sql(
  DROP TABLE findings;
  CREATE TABLE opening (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                        epoch INTEGER NOT NULL, lineage TEXT NOT NULL);
  INSERT INTO opening VALUES (1, 5, 'ours');
  CREATE TABLE memories (rule TEXT PRIMARY KEY, memory BLOB NOT NULL);
  CREATE TABLE admins (name TEXT PRIMARY KEY, record BLOB NOT NULL);
  CREATE TABLE audit (id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, entry BLOB NOT NULL);
  CREATE TABLE audit_ends (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                           newest_id INTEGER NOT NULL, newest_digest BLOB NOT NULL, anchor BLOB);
  INSERT INTO audit_ends VALUES (1, 0, zeroblob(32), NULL);
  CREATE TABLE plan (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                     revision INTEGER NOT NULL, last_word INTEGER NOT NULL, memory BLOB NOT NULL);
  INSERT INTO plan VALUES (1, 3, 2, X'10051809');  -- epoch: 5 serial: 9
  CREATE TABLE plan_nodes (node TEXT PRIMARY KEY, memory BLOB NOT NULL);
  CREATE TABLE words (number INTEGER PRIMARY KEY, node TEXT NOT NULL, word BLOB NOT NULL);
  PRAGMA user_version = 4;
)sql";

v1::Finding StoredFinding() {
  v1::Finding finding;
  finding.set_rule("a-rule");
  finding.set_outcome(v1::FAIL);
  finding.set_summary("words that are made anew");
  *finding.mutable_since() = ToProto(kNoon);
  const auto add = [&](const std::string& node, v1::Outcome outcome, int minute) {
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node(node);
    evidence.set_outcome(outcome);
    *evidence.mutable_since() = ToProto(kNoon + std::chrono::minutes(minute));
    return &evidence;
  };
  add("node-1", v1::FAIL, 1);
  add("node-1", v1::FAIL, 2);
  v1::Evidence* unknown = add("node-2", v1::UNKNOWN, 3);
  unknown->set_last_known(v1::PASS);
  *unknown->mutable_last_known_since() = ToProto(kNoon);
  add("", v1::FAIL, 4);
  return finding;
}

v1::FindingMemory ItsMemory() {
  v1::FindingMemory memory;
  memory.set_rule("a-rule");
  v1::FindingMemory::Memory& finding = *memory.add_memories();
  finding.set_outcome(v1::FAIL);
  *finding.mutable_since() = ToProto(kNoon);
  v1::FindingMemory::Memory& failing = *memory.add_memories();
  failing.set_node("node-1");
  failing.set_outcome(v1::FAIL);
  *failing.mutable_since() = ToProto(kNoon + std::chrono::minutes(1));
  v1::FindingMemory::Memory& unknown = *memory.add_memories();
  unknown.set_node("node-2");
  unknown.set_outcome(v1::UNKNOWN);
  *unknown.mutable_since() = ToProto(kNoon + std::chrono::minutes(3));
  unknown.set_last_known(v1::PASS);
  *unknown.mutable_last_known_since() = ToProto(kNoon);
  v1::FindingMemory::Memory& of_no_node = *memory.add_memories();
  of_no_node.set_outcome(v1::FAIL);
  *of_no_node.mutable_since() = ToProto(kNoon + std::chrono::minutes(4));
  return memory;
}

class SqliteMigrateTest : public SqliteStoreTest {
 protected:
  // `sql` has one parameter: the message.
  static void Insert(Database& database, const std::string& sql,
                     const google::protobuf::MessageLite& message) {
    const std::string bytes = message.SerializeAsString();
    const absl::Status inserted = database.Prepare(sql).BindBlob(bytes).Run();
    EXPECT_TRUE(inserted.ok()) << inserted;
  }
  void MakeOlderStore() {
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->Execute(kFirstSchema).ok());
    v1::NodeRecord removed = ANode("node-2");
    removed.set_removed(true);
    Insert(**database, "INSERT INTO nodes VALUES ('node-1', ?)", ANode("node-1"));
    Insert(**database, "INSERT INTO nodes VALUES ('node-2', ?)", removed);
    v1::NodeReport report;
    report.set_node("node-1");
    report.mutable_facts()->mutable_host()->set_hostname("node-1.example.com");
    Insert(**database, "INSERT INTO reports VALUES ('node-1', ?)", report);
    Insert(**database, "INSERT INTO findings VALUES ('a-rule', 0, ?)", StoredFinding());
  }
  void MakeReleasedStore() {
    MakeOlderStore();
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE(database.ok() && (*database)->Execute(kSecondSchema).ok());
    v1::SpecGeneration header = ASpec("released", 7);
    header.clear_bundle();
    Insert(**database, "INSERT INTO specs VALUES (7, ?, X'')", header);
    Insert(**database, "UPDATE specs SET bundle = ?", ASpec("released", 7).bundle());
  }
};

TEST_F(SqliteMigrateTest, AStoreOfTheFirstReleaseOpensAndLosesNothing) {
  MakeOlderStore();
  for (uint64_t opening = 1; opening <= 2; ++opening) {
    const auto store = SqliteStore::Open(path_);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->ListNodes()->at(0).ShortDebugString(), ANode("node-1").ShortDebugString());
    EXPECT_EQ(Reports(**store).at(0).node(), "node-1");
    EXPECT_EQ((*store)->GetMemories()->findings.at(0).rule(), "a-rule");
    EXPECT_EQ((*store)->ListTokens()->at(0).token().id(), "t");
    EXPECT_EQ((*store)->ListSpecs()->size(), opening - 1);
    EXPECT_EQ((*store)->GetPlan()->memory.nodes_size(), 0);
    EXPECT_TRUE((*store)->PutPlan(APlan(**store, {})).ok());
    EXPECT_TRUE((*store)->AddSpec(ASpec("", opening), opening - 1, v1::Event(), AnEntry("")).ok());
    const auto events = Events(**store);
    ASSERT_EQ(events.size(), opening + 1);
    EXPECT_EQ(events[0].id(), 41u);
    EXPECT_EQ(events[0].text(), "joins");
    EXPECT_EQ(events.back().id(), 41u + opening);
  }
}

TEST_F(SqliteMigrateTest, WhatWasReleasedBeforeEpochsOpensAndLosesNothing) {
  MakeReleasedStore();
  std::string lineage;
  for (int opening = 0; opening < 2; ++opening) {
    const auto store = SqliteStore::Open(path_, kNoon + std::chrono::hours(opening));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->lineage().size(), 32u);
    if (opening == 1) {
      EXPECT_EQ((*store)->lineage(), lineage);
    }
    lineage = (*store)->lineage();
    EXPECT_EQ((*store)->GetMemories()->evaluated_at, kNoon);
    EXPECT_EQ(Texts((*store)->GetMemories()->findings), Texts<v1::FindingMemory>({ItsMemory()}));
    EXPECT_EQ((*store)->GetSpec(0)->ShortDebugString(), ASpec("released", 7).ShortDebugString());
    const auto reports = Reports(**store);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_FALSE(reports[0].has_facts());
    v1::Facts facts;
    ASSERT_TRUE(facts.ParseFromString(reports[0].facts_bytes()));
    EXPECT_EQ(facts.host().hostname(), "node-1.example.com");
    EXPECT_TRUE(Entries(**store).empty());
    EXPECT_TRUE((*store)->ListAdmins()->empty());
    EXPECT_EQ(FromProto((*store)->GetNode("node-2")->removed_at()), kNoon);
    EXPECT_FALSE((*store)->GetNode("node-1")->has_removed_at());
    EXPECT_TRUE((*store)->PurgeNodes(kNoon)->empty());
  }
}

// What is in force there is the newest: nothing says otherwise.
TEST_F(SqliteMigrateTest, WhatIsOfBeforeChangesWereRememberedGoesOnAsItWas) {
  MakeReleasedStore();
  {
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE(database.ok() && (*database)->Execute(kFourthSchema).ok());
    Insert(**database, "INSERT INTO plan_nodes VALUES ('node-1', ?)",
           AMemoryOf("node-1", v1::SERVING));
    v1::Word word = AWord(v1::Word::CORDON, "node-1");
    word.set_number(2);
    Insert(**database, "INSERT INTO words VALUES (2, 'node-1', ?)", word);
  }
  const auto store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->lineage(), "ours");
  const auto plan = (*store)->GetPlan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->revision, 3u);
  EXPECT_EQ(plan->memory.serial(), 9u);
  EXPECT_EQ(plan->memory.generation(), 0u);
  ASSERT_EQ(plan->memory.nodes_size(), 1);
  EXPECT_EQ(plan->memory.nodes(0).state(), v1::SERVING);
  ASSERT_EQ(plan->words.size(), 1u);
  EXPECT_EQ((*store)->GetSpec(0)->generation(), 7u);
  EXPECT_TRUE((*store)->ListRollouts(10)->empty());
  Store::PlanChange change = APlan(**store, {});
  change.ended = {ARollout(7)};
  EXPECT_TRUE((*store)->PutPlan(change).ok());
  EXPECT_EQ((*store)->ListRollouts(10)->size(), 1u);
}

TEST_F(SqliteMigrateTest, AFindingThatIsDamagedLeavesTheOlderStoreAsItIs) {
  MakeReleasedStore();
  const auto version = [&] {
    auto database = Database::Open(path_, 0);
    Statement statement = (*database)->Prepare("PRAGMA user_version");
    EXPECT_TRUE(statement.Step().ok());
    return statement.Integer(0);
  };
  {
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE((*database)->Execute("UPDATE findings SET finding = X'0AFF'").ok());
  }
  EXPECT_EQ(SqliteStore::Open(path_).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(version(), 2);
  {
    auto database = Database::Open(path_, 0);
    ASSERT_TRUE((*database)->Execute("DELETE FROM findings").ok());
  }
  EXPECT_TRUE(SqliteStore::Open(path_).ok());
  EXPECT_EQ(version(), SchemaVersion());
}

TEST_F(SqliteMigrateTest, NewerSchemaIsRefused) {
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

}  // namespace
}  // namespace connect_ha
