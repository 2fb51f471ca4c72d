// The preflight's look at how far a real PostgreSQL was migrated.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/preflight/migration_look.h"
#include "agent/resources/service/service_notes.h"
#include "tests/agent/preflight/guarded_node.h"
#include "tests/agent/probes/postgres_server.h"

namespace connect_ha {
namespace {

std::string Installed(const std::string& version) {
  return absl::StrCat(
      "Package: rstudio-connect\nStatus: install ok installed\nArchitecture: amd64\nVersion: ",
      version, "\n");
}

void Remember(WritableHost& host, const std::string& version, const std::string& migration,
              const std::string& newest) {
  ServiceNotes notes(host, absl::StrCat(kNodeState, "/service"));
  ASSERT_TRUE(notes
                  .Change([&](v1::ServiceMemory& memory) {
                    memory.set_right_version(version);
                    memory.set_right_migration(migration);
                    memory.mutable_newest_start()->set_version(newest);
                  })
                  .ok());
}

TEST(PreflightDatabase, AnOlderConnectIsNotStartedOnceAnotherHasMigrated) {
  PostgresServer server;
  server.Execute(
      "CREATE TABLE connect_schema (version text); "
      "INSERT INTO connect_schema VALUES ('2024.06.0')");
  GuardedNode node;
  node.host->SetFile("/var/lib/dpkg/status", Installed("2024.06.0~ubuntu22"));
  node.host->SetFile(
      kNodeConfig,
      absl::StrCat("[Server]\nDataDir = /mnt/connect/data\n[Database]\nProvider = Postgres\n"
                   "[Postgres]\nURL = \"postgres://connect@127.0.0.1:",
                   server.port(), "/postgres?sslmode=require\"\nPassword = \"", server.password(),
                   "\"\n"));
  Remember(*node.host, "2024.06.0", "2024.06.0", "2024.06.0");
  EXPECT_TRUE(node.Look().passed()) << node.Look().steps.back().status;

  server.Execute("INSERT INTO connect_schema VALUES ('2024.08.0')");
  const PreflightFinding finding = node.Look();

  ASSERT_FALSE(finding.passed());
  EXPECT_TRUE(finding.enforced);
  EXPECT_EQ(finding.steps.back().what, "database");
  const std::string said(finding.steps.back().status.message());
  EXPECT_TRUE(absl::StartsWith(
      said,
      "the database is another one than when Connect 2024.06.0 was right on this node (2024.06.0, "
      "now 2024.06.0 2024.08.0)"))
      << said;
  EXPECT_TRUE(absl::StrContains(said, "\nfix: connect-ha rollout status")) << said;

  // The newer one comes with what migrated the database.
  node.host->SetFile("/var/lib/dpkg/status", Installed("2024.08.0~ubuntu22"));
  EXPECT_TRUE(node.Look().passed());
}

class MigrationLookTest : public testing::Test {
 protected:
  MigrationLookTest() {
    host_.SetDirectory(kNodeState);
    host_.SetFile("/var/lib/dpkg/status", Installed("2024.06.0-1"));
    Remember(host_, "2024.06.0", "one", "2024.06.0");
  }
  absl::Status Check(const std::string& migration) {
    return CheckMigration(host_, kNodeState, migration);
  }
  FakeHost host_;
};

TEST_F(MigrationLookTest, RefusesWhereTheDatabaseIsNotAsItWasLeft) {
  EXPECT_TRUE(Check("one").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Check("one two")));
}

TEST_F(MigrationLookTest, ConcludesNothingFromWhatIsNotKnown) {
  EXPECT_TRUE(Check("").ok());
  Remember(host_, "", "", "");
  EXPECT_TRUE(Check("one two").ok());
  Remember(host_, "2024.06.0", "", "");
  EXPECT_TRUE(Check("one two").ok());
}

TEST_F(MigrationLookTest, LeavesWhatThisNodeBeganToTheCoordinator) {
  Remember(host_, "2024.06.0", "one", "2024.08.0");
  EXPECT_TRUE(Check("one two").ok());
}

// What it began was undone with the database: that says nothing of who has migrated it since.
TEST_F(MigrationLookTest, WhatThisNodeBeganBeforeTheDatabaseWasPutBackIsForgotten) {
  Remember(host_, "2024.06.0", "one", "2024.08.0");
  ServiceNotes notes(host_, absl::StrCat(kNodeState, "/service"));
  const auto put_back_at = [&notes](uint64_t serial) {
    ASSERT_TRUE(notes
                    .Change([serial](v1::ServiceMemory& memory) {
                      memory.mutable_newest_start()->mutable_order()->set_serial(7);
                      memory.mutable_database_restored()->set_serial(serial);
                    })
                    .ok());
  };
  put_back_at(7);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check("one two")));
  EXPECT_TRUE(Check("one").ok());
  put_back_at(6);
  EXPECT_TRUE(Check("one two").ok());
}

TEST_F(MigrationLookTest, SaysNothingOfAnotherVersionThanTheOneThatWasRight) {
  host_.SetFile("/var/lib/dpkg/status", Installed("2024.05.0"));
  EXPECT_TRUE(Check("one two").ok());
  host_.SetFile("/var/lib/dpkg/status", "");
  EXPECT_TRUE(Check("one two").ok());
}

TEST_F(MigrationLookTest, AVersionThatCannotBeReadIsNoReasonToStart) {
  host_.SetError("/var/lib/dpkg/status", absl::UnavailableError("input/output error"));
  const absl::Status refused = Check("one two");
  EXPECT_TRUE(absl::StrContains(refused.message(), "input/output error")) << refused;
  EXPECT_TRUE(Check("one").ok());
}

}  // namespace
}  // namespace connect_ha
