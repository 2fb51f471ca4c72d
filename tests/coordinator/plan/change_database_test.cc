#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "coordinator/plan/change/database.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

constexpr char kOld[] = "2024.08.0";
constexpr char kNew[] = "2024.11.0";

bool IsNew(const PlanCluster& cluster, const v1::DatabaseMemory& database,
           const std::string& version) {
  return IsNewToDatabase(LookAt(cluster.input), database, version);
}

v1::DatabaseMemory DatabaseIn(const PlanCluster& cluster) {
  return DatabaseNow(LookAt(cluster.input));
}

std::string WhyNot(const PlanCluster& cluster, const std::string& version) {
  const Situation situation = LookAt(cluster.input);
  std::string fix;
  const std::string why = WhyNotVersion(situation, DatabaseNow(situation), version, fix);
  EXPECT_EQ(why.empty(), fix.empty()) << why << " | " << fix;
  return why;
}

void Started(PlanCluster& cluster, int i, const std::string& version, uint64_t serial) {
  v1::NewestStart& start = *cluster.node(i).mutable_newest_start();
  start.set_version(version);
  start.mutable_order()->set_epoch(kEpoch);
  start.mutable_order()->set_serial(serial);
}

v1::DatabaseMemory& Memory(PlanCluster& cluster) {
  return *cluster.input.mutable_memory()->mutable_database();
}

void Install(PlanCluster& cluster, int i, const std::string& version, v1::NodeState state) {
  cluster.node(i).set_installed_version(version);
  cluster.Become(i, state);
}

TEST(ChangeDatabase, KnowsTheNewestThatRunsOrWasStarted) {
  PlanCluster cluster(2);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kOld);
  // A store that is an older copy does not know it.
  Memory(cluster).set_newest_version(kOld);
  Memory(cluster).set_before_version("2024.06.0");
  Memory(cluster).set_before_migration("m1");
  Started(cluster, 1, kNew, 5);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
  EXPECT_EQ(DatabaseIn(cluster).before_migration(), "");
}

TEST(ChangeDatabase, CountsWhatALostNodeHasStarted) {
  PlanCluster cluster(2);
  Started(cluster, 1, kNew, 5);
  cluster.Lose(1);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
}

TEST(ChangeDatabase, CountsNothingThatIsNoVersionOrOfAnOddNode) {
  PlanCluster cluster(2);
  Started(cluster, 0, "the newest", 5);
  Started(cluster, 1, "9999.01.0", 5);
  cluster.node(1).set_odd(true);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kOld);
}

TEST(ChangeDatabase, ThatWasPutBackForgetsWhatWasBefore) {
  PlanCluster cluster(2);
  Install(cluster, 0, kOld, v1::STOPPED);
  Install(cluster, 1, kOld, v1::STOPPED);
  Memory(cluster).set_newest_version(kNew);
  Memory(cluster).set_right_version(kNew);
  Started(cluster, 0, kNew, 4);
  EXPECT_NE(WhyNot(cluster, kOld), "");
  v1::Word& word = cluster.Say(v1::Word::RESTORED, "");
  word.set_version(kOld);
  EXPECT_EQ(WhyNot(cluster, kOld), "");
  Memory(cluster) = DatabaseIn(cluster);
  EXPECT_EQ(Memory(cluster).newest_version(), kOld);
  EXPECT_EQ(Memory(cluster).right_version(), kOld);
  EXPECT_TRUE(IsNew(cluster, Memory(cluster), kNew));
  EXPECT_EQ(Memory(cluster).restored().epoch(), kEpoch);
  EXPECT_EQ(Memory(cluster).restored().serial(), 4u);
  // The word has ended.
  cluster.TakeBack(v1::Word::RESTORED);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kOld);
  Started(cluster, 0, kNew, 5);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
}

// What a node holds against its own Connect is of before.
TEST(ChangeDatabase, TellsEveryNodeThatItWasPutBack) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) Install(cluster, i, kOld, v1::STOPPED);
  EXPECT_FALSE(cluster.Store().assignments(0).has_database_restored());
  cluster.Say(v1::Word::RESTORED, "").set_version(kOld);
  const v1::Decision decision = cluster.Store();
  const v1::Order& restored = decision.remember().database().restored();
  EXPECT_GT(restored.serial(), 0u);
  for (const v1::NodeAssignment& one : decision.assignments()) {
    EXPECT_EQ(one.database_restored().epoch(), restored.epoch());
    EXPECT_EQ(one.database_restored().serial(), restored.serial());
  }
  cluster.Step();
  EXPECT_EQ(cluster.Store().assignments(1).database_restored().serial(), restored.serial());
}

// A coordinator that was set up anew has not known that one.
TEST(ChangeDatabase, MayBePutBackToANewerOneThanIsKnown) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) Install(cluster, i, kOld, v1::STOPPED);
  Memory(cluster).set_newest_version(kOld);
  cluster.Say(v1::Word::RESTORED, "").set_version(kNew);
  EXPECT_EQ(cluster.Store().remember().database().newest_version(), kNew);  // nothing is broken
}

TEST(ChangeDatabase, IsNotPutBackWhileTheNewerOneRuns) {
  PlanCluster cluster(2);
  Install(cluster, 0, kNew, v1::SERVING);
  cluster.Say(v1::Word::RESTORED, "").set_version(kOld);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
}

TEST(ChangeDatabase, IsNotPutBackByAnOperator) {
  PlanCluster cluster(1);
  Install(cluster, 0, kOld, v1::STOPPED);
  Memory(cluster).set_newest_version(kNew);
  v1::Word& word = cluster.Say(v1::Word::RESTORED, "");
  word.set_version(kOld);
  word.set_role(v1::OPERATOR);
  EXPECT_EQ(DatabaseIn(cluster).newest_version(), kNew);
}

TEST(ChangeDatabase, IsStartedByNothingOlderThanWhatHasMigrated) {
  PlanCluster cluster(2);
  EXPECT_EQ(WhyNot(cluster, kOld), "");
  EXPECT_EQ(WhyNot(cluster, kNew), "");
  EXPECT_TRUE(absl::StrContains(WhyNot(cluster, "2024.06.0"), "may have migrated"));
  EXPECT_NE(WhyNot(cluster, ""), "");
}

// Two run the newer one, and one was just enrolled that runs the older.
PlanCluster WithOneOlder() {
  PlanCluster cluster(3);
  cluster.input.mutable_spec()->mutable_connect()->set_version(kNew);
  Memory(cluster).set_newest_version(kNew);
  for (const int i : {0, 1}) Install(cluster, i, kNew, v1::SERVING);
  cluster.Brownfield(2);
  v1::Convergence& convergence = *cluster.node(2).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.set_needs(v1::Change::TOGETHER);
  v1::Change& change = *convergence.add_changes();
  change.set_resource("package rstudio-connect");
  change.set_needs(v1::Change::TOGETHER);
  return cluster;
}

// That it is this database which it runs against is not known.
TEST(ChangeDatabase, LeavesWhatIsOlderAndOnlyObservedToAPerson) {
  PlanCluster cluster = WithOneOlder();
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(2).state(), v1::OBSERVED);
  const auto& said = decision.said();
  EXPECT_TRUE(std::any_of(said.begin(), said.end(), [](const v1::Said& one) {
    return one.node() == "node-3" && absl::StrContains(one.text(), "only observed") &&
           absl::StrContains(one.fix(), "connect-ha node stop node-3 --now");
  }));
  cluster.Say(v1::Word::STOP, "node-3").set_now(true);
  EXPECT_EQ(cluster.Step().assignments(2).state(), v1::STOPPED);
}

TEST(ChangeDatabase, HasWhatIsOlderStoppedWhereTheChangeWasToStopIt) {
  PlanCluster cluster = WithOneOlder();
  v1::Rollout& rollout = *cluster.input.mutable_memory()->mutable_rollout();
  rollout.set_generation(kGeneration);
  rollout.set_kind(v1::Rollout::ROLLING);
  v1::RolloutNode& node = *rollout.add_nodes();
  node.set_node("node-3");
  node.set_to_change(true);
  EXPECT_EQ(cluster.Step().assignments(2).state(), v1::STOPPED);
}

TEST(ChangeDatabase, TakesAnyVersionThatIsTheFirst) {
  PlanCluster cluster(1);
  cluster.Bare(0);
  Memory(cluster).Clear();
  EXPECT_EQ(WhyNot(cluster, "2020.01.0"), "");
  v1::DatabaseMemory database = DatabaseIn(cluster);
  EXPECT_FALSE(IsNew(cluster, database, kNew));
  // Nor, where it did not come up, the next time.
  NoteStart(LookAt(cluster.input), kNew, database);
  EXPECT_FALSE(IsNew(cluster, database, kNew));
  EXPECT_TRUE(IsNew(cluster, database, "2025.01.0"));
}

// A coordinator that was set up anew for a database which others have used.
TEST(ChangeDatabase, TakesNoVersionThatIsTheFirstOfThisCoordinatorAlone) {
  PlanCluster cluster(1);
  cluster.Bare(0);
  Memory(cluster).Clear();
  cluster.node(0).set_migration("0213");
  for (const char* version : {kOld, kNew}) {
    EXPECT_TRUE(IsNew(cluster, DatabaseIn(cluster), version));
    EXPECT_EQ(WhyNewToDatabase(DatabaseIn(cluster), version),
              "starts with a database that has Connect's tables, of a version that is not known");
  }
}

// It may have ended before it migrated anything.
TEST(ChangeDatabase, KnowsAVersionOnceThatWasRight) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) Install(cluster, i, kNew, v1::STOPPED);
  Memory(cluster).set_newest_version(kNew);
  EXPECT_TRUE(IsNew(cluster, DatabaseIn(cluster), kNew));
  EXPECT_TRUE(IsNew(cluster, DatabaseIn(cluster), "2024.09.0"));
  EXPECT_FALSE(IsNew(cluster, DatabaseIn(cluster), kOld));
  EXPECT_TRUE(absl::StrContains(WhyNewToDatabase(DatabaseIn(cluster), kNew),
                                "2024.08.0, the newest that was right with this database"));
  EXPECT_EQ(WhyNewToDatabase(DatabaseIn(cluster), "2025.01.0"),
            "is newer than 2024.11.0, the newest that this database has known");
  // Where that was not noted, what ran before it is what was right.
  Memory(cluster).clear_right_version();
  EXPECT_FALSE(IsNew(cluster, DatabaseIn(cluster), kNew));
  Memory(cluster).set_before_version(kOld);
  EXPECT_TRUE(IsNew(cluster, DatabaseIn(cluster), kNew));
  // It runs, and is looked at yet.
  Install(cluster, 0, kNew, v1::SERVING);
  cluster.memory(0).set_closed(true);
  EXPECT_TRUE(IsNew(cluster, DatabaseIn(cluster), kNew));
  cluster.memory(0).set_closed(false);
  EXPECT_EQ(DatabaseIn(cluster).right_version(), kNew);
  EXPECT_FALSE(IsNew(cluster, DatabaseIn(cluster), kNew));
}

class UnmigratedDatabase : public ::testing::Test {
 protected:
  UnmigratedDatabase() : cluster(2) {
    for (int i = 0; i < 2; ++i) {
      Install(cluster, i, kOld, v1::STOPPED);
      cluster.node(i).set_migration("m1");
    }
    Memory(cluster).set_newest_version(kNew);
    Memory(cluster).set_before_version(kOld);
    Memory(cluster).set_before_migration("m1");
  }

  PlanCluster cluster;
};

TEST_F(UnmigratedDatabase, TakesWhatRanBefore) {
  EXPECT_EQ(WhyNot(cluster, kOld), "");
  EXPECT_EQ(WhyNot(cluster, "2024.09.0"), "");
  EXPECT_NE(WhyNot(cluster, "2024.06.0"), "");
}

// What comes between may migrate it itself, and is started on the other nodes after that.
TEST_F(UnmigratedDatabase, TakesWhatWasStartedSinceAsLongAsItIsAsThatLeftIt) {
  constexpr char kBetween[] = "2024.09.0";
  cluster.input.mutable_spec()->mutable_connect()->set_version(kBetween);
  Install(cluster, 0, kBetween, v1::SERVING);
  Install(cluster, 1, kBetween, v1::STOPPED);
  for (const int i : {0, 1}) cluster.node(i).set_migration("m2");
  v1::NodeRule& line = cluster.Rule(0, kService);
  line.set_outcome(v1::PASS);
  *line.mutable_since() = cluster.input.now();
  EXPECT_NE(WhyNot(cluster, kBetween), "");  // what it says may be of before that
  cluster.Wait(std::chrono::seconds(61));
  EXPECT_EQ(WhyNot(cluster, kBetween), "");
  EXPECT_NE(WhyNot(cluster, kOld), "");
  Memory(cluster) = DatabaseIn(cluster);
  EXPECT_EQ(Memory(cluster).newest_version(), kNew);
  for (const int i : {0, 1}) cluster.node(i).set_migration("m3");  // by somebody else
  EXPECT_NE(WhyNot(cluster, kBetween), "");
}

TEST_F(UnmigratedDatabase, IsNoneWhereTheDatabaseSaysSomethingElseOrNothing) {
  cluster.node(0).set_migration("m2");
  EXPECT_NE(WhyNot(cluster, kOld), "");  // they differ
  cluster.node(1).set_migration("m2");
  EXPECT_NE(WhyNot(cluster, kOld), "");
  cluster.node(0).clear_migration();
  cluster.node(1).clear_migration();
  EXPECT_NE(WhyNot(cluster, kOld), "");
}

TEST_F(UnmigratedDatabase, IsAskedAnewOnceTheNewerOneIsStopped) {
  Install(cluster, 0, kNew, v1::SERVING);
  Memory(cluster).set_newest_version(kNew);
  EXPECT_TRUE(absl::StrContains(WhyNot(cluster, kOld), "may migrate the database yet"));
  Install(cluster, 0, kNew, v1::STOPPED);
  EXPECT_TRUE(absl::StrContains(WhyNot(cluster, kOld), "node-1"));
  cluster.Wait(std::chrono::seconds(61));
  EXPECT_EQ(WhyNot(cluster, kOld), "");
}

TEST(ChangeDatabase, RemembersWhatRanBeforeAStart) {
  PlanCluster cluster(2);
  cluster.node(0).set_migration("m1");
  const Situation situation = LookAt(cluster.input);
  v1::DatabaseMemory database;
  NoteStart(situation, kOld, database);
  EXPECT_EQ(database.newest_version(), kOld);
  EXPECT_EQ(database.before_version(), "");
  EXPECT_EQ(database.before_migration(), "");
  EXPECT_TRUE(IsNew(cluster, database, kNew));
  NoteStart(situation, kNew, database);
  EXPECT_EQ(database.newest_version(), kNew);
  EXPECT_EQ(database.before_version(), kOld);
  EXPECT_EQ(database.before_migration(), "m1");
  EXPECT_TRUE(IsNew(cluster, database, kNew));  // until it was right
  NoteRight(kNew, database);
  EXPECT_FALSE(IsNew(cluster, database, kNew));
  NoteRight(kOld, database);
  EXPECT_EQ(database.right_version(), kNew);
  for (const char* version : {kOld, kNew, ""}) NoteStart(situation, version, database);
  EXPECT_EQ(database.newest_version(), kNew);
  // Nothing was migrated: what ran before that still may.
  NoteStart(situation, "2025.01.0", database);
  EXPECT_EQ(database.newest_version(), "2025.01.0");
  EXPECT_EQ(database.before_version(), kOld);
}

TEST(ChangeDatabase, RemembersTheOneBeforeWhereThatHasMigrated) {
  PlanCluster cluster(2);
  cluster.node(0).set_migration("m2");
  const Situation situation = LookAt(cluster.input);
  v1::DatabaseMemory database;
  database.set_newest_version(kNew);
  database.set_before_version(kOld);
  database.set_before_migration("m1");
  NoteStart(situation, "2025.01.0", database);
  EXPECT_EQ(database.before_version(), kNew);
  EXPECT_EQ(database.before_migration(), "m2");
}

}  // namespace
}  // namespace connect_ha
