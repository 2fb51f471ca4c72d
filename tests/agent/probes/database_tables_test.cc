// What Connect's own tables say of migrations and of runtimes, in a real PostgreSQL.
#include <gtest/gtest.h>

#include <string>

#include "agent/probes/database/database_session.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

class DatabaseTablesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  // A schema of its own for each test.
  void SetUp() override {
    schema_ = std::string("of_") + testing::UnitTest::GetInstance()->current_test_info()->name();
    server_->Execute("CREATE SCHEMA " + schema_);
  }
  void Execute(const std::string& sql) {
    server_->Execute("SET search_path = " + schema_ + "; " + sql);
  }
  v1::Facts Read(bool pinned, const std::string& user = "connect") {
    DatabaseTarget target;
    target.url =
        *ParseDatabaseUrl("postgres://" + user + "@localhost:" + std::to_string(server_->port()) +
                          "/postgres?sslmode=require&search_path=" + schema_);
    target.url.password = user == "connect" ? server_->password() : user;
    target.pinned = pinned;
    v1::Facts facts;
    ReadDatabaseServer(
        target, [] { return Time(); },
        [&facts](const char* field, const std::string& why) { MarkUnobserved(facts, field, why); },
        *facts.mutable_database());
    return facts;
  }
  // "r 4.1.3: 2, r 4.3.3: 1"
  static std::string Pinned(const v1::Facts& facts) {
    std::string text;
    for (const v1::PinnedRuntime& pinned : facts.database().pinned()) {
      if (!text.empty()) text += ", ";
      text += pinned.runtime() + " " + pinned.version() + ": " + std::to_string(pinned.items());
    }
    return text;
  }

  static PostgresServer* server_;
  std::string schema_;
};

PostgresServer* DatabaseTablesTest::server_ = nullptr;

TEST_F(DatabaseTablesTest, SayHowFarTheDatabaseWasMigrated) {
  EXPECT_FALSE(Read(false).database().has_migration());  // there is no such table
  Execute("CREATE TABLE connect_schema (version text)");
  EXPECT_FALSE(Read(false).database().has_migration());
  Execute("INSERT INTO connect_schema VALUES ('2024.08.0'), (NULL), ('2024.06.0')");
  const v1::Facts facts = Read(false);
  EXPECT_EQ(facts.database().migration(), "2024.06.0 2024.08.0");  // in whatever order they came
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST_F(DatabaseTablesTest, OfManyMigrationsADigestTellsThemApart) {
  Execute(
      "CREATE TABLE connect_schema (version int); "
      "INSERT INTO connect_schema SELECT generate_series(1000, 1299)");
  const std::string before = Read(false).database().migration();
  EXPECT_EQ(before.find("300 up to 1299 ("), 0u) << before;
  EXPECT_EQ(Read(false).database().migration(), before);
  Execute("DELETE FROM connect_schema WHERE version = 1001; INSERT INTO connect_schema VALUES (1)");
  EXPECT_NE(Read(false).database().migration(), before);
}

TEST_F(DatabaseTablesTest, ATableOfThatNameWithOtherColumnsSaysNothing) {
  Execute("CREATE TABLE connect_schema (number int); INSERT INTO connect_schema VALUES (1)");
  const v1::Facts facts = Read(false);
  EXPECT_FALSE(facts.database().has_migration());
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST_F(DatabaseTablesTest, WhatTheServerRefusesToTellIsUnobservedAndNothingElseIs) {
  server_->Execute("CREATE ROLE writer LOGIN PASSWORD 'writer'");
  Execute(
      "CREATE TABLE connect_schema (version text); GRANT INSERT ON connect_schema TO writer; "
      "GRANT USAGE ON SCHEMA " +
      schema_ + " TO writer");
  const v1::Facts facts = Read(false, "writer");
  EXPECT_FALSE(facts.database().has_migration());
  ASSERT_EQ(facts.unobserved_size(), 1) << Text(facts);
  EXPECT_EQ(facts.unobserved(0).path(), "migration");
  EXPECT_NE(facts.unobserved(0).reason().find("permission denied"), std::string::npos);
  EXPECT_TRUE(facts.database().stages().rbegin()->passed());
  server_->Execute("DROP OWNED BY writer; DROP ROLE writer");
}

TEST_F(DatabaseTablesTest, CountItemsByTheRuntimeThatTheyArePinnedTo) {
  Execute(
      "CREATE TABLE apps (r_version text, py_version text, quarto_version text); "
      "INSERT INTO apps VALUES ('4.3.3', NULL, '1.5.57'), ('4.1.3', '3.11.9', NULL), "
      "('4.1.3', NULL, ''), (NULL, NULL, NULL)");
  const v1::Facts facts = Read(true);
  EXPECT_EQ(Pinned(facts), "python 3.11.9: 1, quarto 1.5.57: 1, r 4.1.3: 2, r 4.3.3: 1");
  EXPECT_FALSE(facts.database().has_pinned_unknown());
}

TEST_F(DatabaseTablesTest, AreNotAskedForItemsWhereNobodyAskedForThem) {
  Execute("CREATE TABLE apps (r_version text); INSERT INTO apps VALUES ('4.3.3')");
  EXPECT_EQ(Pinned(Read(false)), "");
}

TEST_F(DatabaseTablesTest, WhatAColumnThatIsNotThereWouldSayIsUnknown) {
  Execute("CREATE TABLE apps (r_version text, py_version text); INSERT INTO apps VALUES ('4.3.3')");
  const v1::Facts facts = Read(true);
  EXPECT_EQ(Pinned(facts), "r 4.3.3: 1");
  EXPECT_EQ(facts.database().pinned_unknown(), "of quarto there is no column apps.quarto_version");
}

TEST_F(DatabaseTablesTest, WhatIsPinnedIsUnknownWhereTheServerDoesNotSay) {
  server_->Execute("CREATE ROLE writer LOGIN PASSWORD 'writer'");
  Execute(
      "CREATE TABLE apps (r_version text, py_version text, quarto_version text); "
      "GRANT SELECT (py_version), INSERT ON apps TO writer; GRANT USAGE ON SCHEMA " +
      schema_ + " TO writer; INSERT INTO apps VALUES (NULL, '3.11.9', NULL)");
  const v1::Facts facts = Read(true, "writer");
  EXPECT_EQ(Pinned(facts), "");
  EXPECT_NE(facts.database().pinned_unknown().find("permission denied"), std::string::npos)
      << Text(facts);
  server_->Execute("DROP OWNED BY writer; DROP ROLE writer");
}

TEST_F(DatabaseTablesTest, WhatIsPinnedIsUnknownWhereTheDatabaseIsNotReached) {
  const v1::Facts facts = Read(true, "nobody");
  EXPECT_EQ(facts.database().pinned_unknown(), "the database could not be asked");
}

TEST_F(DatabaseTablesTest, MoreVersionsThanThereAreOfARuntimeAreNone) {
  Execute(
      "CREATE TABLE apps (r_version text, py_version text, quarto_version text); "
      "INSERT INTO apps SELECT '4.0.' || n, NULL, NULL FROM generate_series(1, 101) n");
  EXPECT_EQ(Read(true).database().pinned_unknown(), "of r there are more versions than 100");
}

}  // namespace
}  // namespace connect_ha
