// Causes and consequences, and what holds for every row of the table.
#include "common/checklist/follow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

v1::Finding FindingOf(const v1::Checklist& checklist, const std::string& rule) {
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.rule() == rule) return finding;
  }
  ADD_FAILURE() << "no finding of " << rule;
  return {};
}

v1::NodeSnapshot& Node(v1::Snapshot& cluster, const std::string& name) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    if (node.name() == name) return node;
  }
  throw std::runtime_error("no node " + name);
}

// By node, what a finding says of it: "FAIL", "FOLLOWS storage-is-mounted".
std::map<std::string, std::string> Said(const v1::Finding& finding) {
  std::map<std::string, std::string> said;
  for (const v1::Evidence& evidence : finding.evidence()) {
    said[evidence.node()] = absl::StrCat(v1::Outcome_Name(evidence.outcome()),
                                         evidence.cause().empty() ? "" : " ", evidence.cause());
  }
  return said;
}

// The causes in a checklist: rules that fail.
std::set<std::string> Failing(const v1::Checklist& checklist) {
  std::set<std::string> rules;
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.outcome() == v1::FAIL) rules.insert(finding.rule());
  }
  return rules;
}

v1::Snapshot Unmounted() {
  v1::Snapshot cluster = BaseCluster();
  v1::StorageFacts& storage = *Node(cluster, "node-2").mutable_facts()->mutable_storage();
  auto* mounts = storage.mutable_mounts();
  for (int i = mounts->size(); i-- > 0;) {
    if (mounts->Get(i).mount_point() == "/mnt/connect") mounts->DeleteSubrange(i, 1);
  }
  for (v1::DataDirectory& directory : *storage.mutable_directories()) {
    if (directory.mount_point() == "/mnt/connect") directory.set_mount_point("/");
  }
  storage.clear_answers();
  return cluster;
}

v1::Snapshot BrokenFile() {
  v1::Snapshot cluster = BaseCluster();
  v1::ConfigurationFacts& file = *Node(cluster, "node-2").mutable_facts()->mutable_configuration();
  v1::ConfigError& error = *file.add_errors();
  error.set_line(40);
  error.set_column(1);
  error.set_message("a section's name ends in ]");
  *file.mutable_modified_at() = cluster.taken_at();
  return cluster;
}

TEST(Needs, StandAboveTheRuleThatHasThem) {
  std::set<std::string> above;
  for (const Rule& rule : Rules()) {
    for (const Need& need : rule.needs) {
      EXPECT_EQ(above.count(need.rule), 1u) << rule.id << " needs " << need.rule;
    }
    above.insert(rule.id);
  }
}

TEST(Follow, WhatNeedsAMountIsNotJudgedWithoutIt) {
  const v1::Checklist checklist = Evaluate(Unmounted());
  EXPECT_EQ(Failing(checklist), std::set<std::string>{"storage-is-mounted"});
  const std::map<std::string, std::string> expected = {{"node-1", "PASS"},
                                                       {"node-2", "FOLLOWS storage-is-mounted"}};
  for (const char* rule : {"storage-is-alive", "storage-options", "encryption-key-matches"}) {
    const v1::Finding finding = FindingOf(checklist, rule);
    EXPECT_EQ(finding.outcome(), v1::FOLLOWS) << rule;
    EXPECT_EQ(Said(finding), expected) << rule;
    EXPECT_TRUE(finding.fixes().empty()) << rule;
  }
}

TEST(Follow, OneLineOfAFileIsOneFailure) {
  const v1::Checklist checklist = Evaluate(BrokenFile());
  EXPECT_EQ(Failing(checklist), std::set<std::string>{"configuration-is-valid"});
  EXPECT_EQ(Said(FindingOf(checklist, "configuration-is-applied")).at("node-2"),
            "FOLLOWS configuration-is-valid");
}

TEST(Follow, NamesTheRootOfAChain) {
  v1::Snapshot cluster = Unmounted();
  Node(cluster, "node-2").mutable_last_seen()->set_seconds(1);
  const v1::Checklist checklist = Evaluate(cluster);
  EXPECT_EQ(Failing(checklist), std::set<std::string>{"facts-are-fresh"});
  for (const v1::Finding& finding : checklist.findings()) {
    for (const v1::Evidence& evidence : finding.evidence()) {
      if (evidence.node() != "node-2" || finding.rule() == "facts-are-fresh") continue;
      EXPECT_EQ(evidence.outcome(), v1::FOLLOWS) << finding.rule();
      EXPECT_EQ(evidence.cause(), "facts-are-fresh") << finding.rule();
    }
  }
}

TEST(Follow, NamesTheRootOfWhatStandsBelow) {
  v1::Snapshot cluster = BrokenFile();
  MakeUnobserved(*Node(cluster, "node-2").mutable_facts(), "database.stages", "taken out");
  const v1::Finding clocks = FindingOf(Evaluate(cluster), "clocks-are-synchronised");
  EXPECT_EQ(clocks.outcome(), v1::FOLLOWS);
  EXPECT_EQ(Said(clocks).at("node-2"), "FOLLOWS configuration-is-valid");
  EXPECT_EQ(clocks.summary(), "follows configuration-is-valid on node-2");
}

TEST(Follow, AFailureElsewhereIsStillOne) {
  v1::Snapshot cluster = Unmounted();
  Node(cluster, "node-1").mutable_facts()->mutable_encryption_key()->set_mode(0640);
  const v1::Finding finding = FindingOf(Evaluate(cluster), "encryption-key-matches");
  EXPECT_EQ(finding.outcome(), v1::FAIL);
  const std::map<std::string, std::string> expected = {{"node-1", "FAIL"},
                                                       {"node-2", "FOLLOWS storage-is-mounted"}};
  EXPECT_EQ(Said(finding), expected);
}

TEST(Follow, ARestartIsHeldBackWhereTheFileIsNotValid) {
  v1::Snapshot cluster = BrokenFile();
  v1::ConnectFacts& connect = *Node(cluster, "node-2").mutable_facts()->mutable_connect();
  connect.set_running_version("2024.06.0");
  const v1::Finding finding = FindingOf(Evaluate(cluster), "connect-version-matches");
  ASSERT_EQ(finding.outcome(), v1::FAIL);
  ASSERT_EQ(finding.fixes_size(), 1);
  EXPECT_EQ(finding.fixes(0).on(), "node-2");
  EXPECT_TRUE(finding.fixes(0).commands().empty());
  EXPECT_EQ(finding.fixes(0).held_by(), "configuration-is-valid");
  EXPECT_TRUE(finding.fixes(0).stops_connect());
}

TEST(Follow, ARestartIsGivenWhereItsNeedsHold) {
  v1::Snapshot cluster = BaseCluster();
  Node(cluster, "node-2").mutable_facts()->mutable_connect()->set_running_version("2024.06.0");
  const v1::Finding finding = FindingOf(Evaluate(cluster), "connect-version-matches");
  ASSERT_EQ(finding.fixes_size(), 1);
  ASSERT_EQ(finding.fixes(0).commands_size(), 1);
  EXPECT_EQ(finding.fixes(0).commands(0), "systemctl restart rstudio-connect");
  EXPECT_EQ(finding.fixes(0).held_by(), "");
}

// Its options are wrong, too; systemd itself hangs when it is to mount over it.
TEST(Follow, AMountThatHangsIsNotMountedAnew) {
  v1::Snapshot cluster = BaseCluster();
  v1::StorageFacts& storage = *Node(cluster, "node-2").mutable_facts()->mutable_storage();
  for (v1::Mount& mount : *storage.mutable_mounts()) {
    auto& options = *mount.mutable_super_options();
    options.erase(std::remove(options.begin(), options.end(), "lookupcache=pos"), options.end());
  }
  storage.mutable_answers(0)->set_answered(false);
  const v1::Checklist checklist = Evaluate(cluster);
  EXPECT_EQ(FindingOf(checklist, "storage-is-alive").outcome(), v1::FAIL);
  const v1::Finding finding = FindingOf(checklist, "storage-options");
  ASSERT_EQ(finding.outcome(), v1::FAIL);
  ASSERT_GT(finding.fixes_size(), 1);
  for (const v1::Fix& fix : finding.fixes()) EXPECT_TRUE(fix.commands().empty());
  EXPECT_EQ(finding.fixes(1).held_by(), "storage-is-alive");
}

TEST(Follow, ANodeThatDoesNotSayWhichMachineItIsIsJudged) {
  v1::Snapshot cluster = BaseCluster();
  MakeUnobserved(*Node(cluster, "node-2").mutable_facts(), "host.boot_id", "taken out");
  const v1::Checklist checklist = Evaluate(cluster);
  EXPECT_EQ(FindingOf(checklist, "nodes-are-distinct").outcome(), v1::UNKNOWN);
  EXPECT_EQ(FindingOf(checklist, "clocks-are-synchronised").outcome(), v1::PASS);
  // But it may be the other one.
  EXPECT_EQ(Said(FindingOf(checklist, "at-least-two-nodes")).at("node-2"),
            "FOLLOWS nodes-are-distinct");
}

TEST(Follow, AFailureCountsBesideWhatIsUnknown) {
  v1::Snapshot cluster = BaseCluster();
  Follow follow(cluster);
  Rule cause;
  cause.id = "cause";
  cause.judge = [](const v1::Snapshot&) {
    v1::Finding finding;
    for (const v1::Outcome outcome : {v1::UNKNOWN, v1::FAIL}) {
      v1::Evidence& evidence = *finding.add_evidence();
      evidence.set_node("node-2");
      evidence.set_outcome(outcome);
    }
    return finding;
  };
  follow.Judge(cause);
  Rule other;
  other.id = "other";
  other.needs = {{"cause", /*unless_it_fails=*/true}};
  other.judge = [](const v1::Snapshot&) { return v1::Finding(); };
  const std::map<std::string, std::string> expected = {{"node-2", "FOLLOWS cause"}};
  EXPECT_EQ(Said(follow.Judge(other)), expected);
}

TEST(Follow, AFailureCountsOnlyWhereItExplains) {
  v1::Snapshot cluster = BaseCluster();
  Follow follow(cluster);
  Rule cause;
  cause.id = "cause";
  cause.judge = [](const v1::Snapshot&) {
    v1::Finding finding;
    for (const char* node : {"node-1", "node-2"}) {
      v1::Evidence& evidence = *finding.add_evidence();
      evidence.set_node(node);
      evidence.set_outcome(v1::FAIL);
    }
    return finding;
  };
  follow.Judge(cause);
  Rule other;
  other.id = "other";
  const auto is_first = [](const v1::Facts& facts) { return facts.host().hostname() == "node-1"; };
  other.needs.push_back({"cause", /*unless_it_fails=*/false, is_first});
  other.judge = [](const v1::Snapshot&) { return v1::Finding(); };
  const std::map<std::string, std::string> expected = {{"node-1", "FOLLOWS cause"}};
  EXPECT_EQ(Said(follow.Judge(other)), expected);
}

v1::Snapshot AnotherDatabase() {
  v1::Snapshot cluster = BaseCluster();
  v1::Facts& facts = *Node(cluster, "node-2").mutable_facts();
  for (v1::ConfigKey& key : *facts.mutable_configuration()->mutable_keys()) {
    if (key.section() != "Postgres" || key.name() != "URL") continue;
    key.set_values(0, "postgres://connect@db.example.com:5432/test?sslmode=verify-full");
  }
  facts.mutable_database()->set_database("test");
  facts.mutable_database()->set_database_oid(16500);
  return cluster;
}

// It stands above what explains it.
TEST(Follow, AnotherDatabaseIsOneFailure) {
  const v1::Checklist checklist = Evaluate(AnotherDatabase());
  EXPECT_EQ(Failing(checklist), std::set<std::string>{"database-is-same"});
  const v1::Finding finding = FindingOf(checklist, "configuration-matches");
  EXPECT_EQ(finding.outcome(), v1::FOLLOWS);
  EXPECT_EQ(finding.summary(), "follows database-is-same on node-1, node-2");
  EXPECT_TRUE(finding.fixes().empty());
  const std::map<std::string, std::string> expected = {{"node-1", "FOLLOWS database-is-same"},
                                                       {"node-2", "FOLLOWS database-is-same"}};
  EXPECT_EQ(Said(finding), expected);
  for (int i = 0; i < checklist.findings_size(); ++i) {
    EXPECT_EQ(checklist.findings(i).rule(), Rules()[static_cast<size_t>(i)].id);
  }
}

TEST(Follow, AnotherUrlOfTheSameDatabaseIsAFailure) {
  v1::Snapshot cluster = AnotherDatabase();
  *Node(cluster, "node-2").mutable_facts()->mutable_database() =
      Node(cluster, "node-1").facts().database();
  EXPECT_EQ(Failing(Evaluate(cluster)), std::set<std::string>{"configuration-matches"});
}

TEST(Follow, WhatAnotherDatabaseDoesNotExplainIsStillAFailure) {
  v1::Snapshot cluster = AnotherDatabase();
  v1::ConfigurationFacts& file = *Node(cluster, "node-2").mutable_facts()->mutable_configuration();
  v1::ConfigKey& key = *file.add_keys();
  key.set_section("Applications");
  key.set_name("ScheduleConcurrency");
  key.add_values("6");
  const v1::Checklist checklist = Evaluate(cluster);
  const std::set<std::string> expected = {"configuration-matches", "database-is-same"};
  EXPECT_EQ(Failing(checklist), expected);
  const v1::Finding finding = FindingOf(checklist, "configuration-matches");
  for (const v1::Evidence& evidence : finding.evidence()) {
    EXPECT_EQ(evidence.text().find("URL"), std::string::npos) << evidence.text();
  }
}

TEST(Follow, WhatSomeNodesShowNeedsNoOthers) {
  v1::Snapshot cluster = BaseOfFour();
  v1::ConnectFacts& connect = *Node(cluster, "node-3").mutable_facts()->mutable_connect();
  connect.mutable_unit()->set_active_state("failed");
  connect.clear_ping();
  const v1::Checklist checklist = Evaluate(cluster);
  EXPECT_EQ(Failing(checklist), std::set<std::string>{"service-is-healthy"});
  for (const char* rule : {"at-least-two-nodes", "nodes-span-zones"}) {
    const v1::Finding finding = FindingOf(checklist, rule);
    EXPECT_EQ(finding.outcome(), v1::PASS) << rule;
    EXPECT_EQ(Said(finding).at("node-3"), "FOLLOWS service-is-healthy") << rule;
  }
}

TEST(Follow, EveryNodeIsGivenBackForTheNextRule) {
  const v1::Checklist checklist = Evaluate(Unmounted());
  EXPECT_EQ(checklist.nodes(), 2u);
  EXPECT_EQ(checklist.serving(), 2u);
  const std::map<std::string, std::string> expected = {{"node-1", "PASS"}, {"node-2", "PASS"}};
  EXPECT_EQ(Said(FindingOf(checklist, "disk-has-room")), expected);
}

}  // namespace
}  // namespace connect_ha::test
