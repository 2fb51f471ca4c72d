// Three nodes that go over to a generation one after the other: they differ on purpose meanwhile,
// and who is as it says is not the wrong one.
#include <gtest/gtest.h>

#include <string>

#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

constexpr uint64_t kGeneration = 8;
constexpr char kFile[] = "file /etc/rstudio-connect/rstudio-connect.gcfg";

// All of them are as the generation says.
v1::Snapshot ThreeNodes() {
  v1::Snapshot cluster = BaseOfFour();
  cluster.mutable_nodes()->RemoveLast();
  cluster.set_generation(kGeneration);
  cluster.mutable_spec()->mutable_connect()->set_config("rstudio-connect.gcfg");
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    node.set_reported_generation(kGeneration);
    node.mutable_convergence()->set_generation(kGeneration);
    node.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  }
  return cluster;
}

void SetAddress(v1::Snapshot& cluster, int i, const std::string& address) {
  v1::ConfigurationFacts& configuration =
      *cluster.mutable_nodes(i)->mutable_facts()->mutable_configuration();
  for (v1::ConfigKey& key : *configuration.mutable_keys()) {
    if (key.section() == "Server" && key.name() == "Address") key.set_values(0, address);
  }
}

void MoveToAnotherDatabase(v1::Snapshot& cluster, int i) {
  v1::Facts& facts = *cluster.mutable_nodes(i)->mutable_facts();
  for (v1::ConfigKey& key : *facts.mutable_configuration()->mutable_keys()) {
    if (key.section() != "Postgres" || key.name() != "URL") continue;
    key.set_values(0, "postgres://connect@db.example.com:5432/next?sslmode=verify-full");
  }
  facts.mutable_database()->set_database("next");
  facts.mutable_database()->set_database_oid(16500);
}

void IsToBeWritten(v1::Snapshot& cluster, int i) {
  v1::Convergence& convergence = *cluster.mutable_nodes(i)->mutable_convergence();
  convergence.set_state(v1::Convergence::WAITING);
  convergence.add_changes()->set_resource(kFile);
}

// "FAIL SPEC", "FAIL PEERS undecided"; "": nothing is wrong with it.
std::string WhatIsSaid(const v1::Snapshot& cluster, const std::string& rule, int i) {
  const v1::Checklist checklist = Evaluate(cluster);
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.rule() != rule) continue;
    for (const v1::Evidence& line : finding.evidence()) {
      if (line.node() != cluster.nodes(i).name() || line.outcome() == v1::PASS) continue;
      return v1::Outcome_Name(line.outcome()) + " " + v1::Basis_Name(line.basis()) +
             (line.undecided() ? " undecided" : "");
    }
    return "";
  }
  return "no such rule";
}

TEST(ConfigurationMatches, TakesTheSpecificationsWordWhereItGivesTheFile) {
  v1::Snapshot cluster = ThreeNodes();
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "");
  SetAddress(cluster, 0, "https://new.example.com");
  IsToBeWritten(cluster, 1);
  IsToBeWritten(cluster, 2);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "FAIL SPEC");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 2), "FAIL SPEC");
  // The second is changed, too; the last one has not taken the generation yet.
  SetAddress(cluster, 1, "https://new.example.com");
  cluster.mutable_nodes(1)->mutable_convergence()->clear_changes();
  v1::Convergence& last = *cluster.mutable_nodes(2)->mutable_convergence();
  last.clear_changes();
  last.set_state(v1::Convergence::CONVERGED);
  last.set_generation(kGeneration - 1);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 2), "FAIL SPEC");
}

TEST(ConfigurationMatches, TakesItAlsoWhereTwoNodesDiffer) {
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_nodes()->RemoveLast();
  SetAddress(cluster, 0, "https://new.example.com");
  IsToBeWritten(cluster, 1);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "FAIL SPEC");
}

// The first of a change of the database: it is started alone, while the other one rests.
TEST(ConfigurationMatches, LeavesAnotherDatabaseToTheRuleThatFindsIt) {
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_nodes()->RemoveLast();
  MoveToAnotherDatabase(cluster, 0);
  IsToBeWritten(cluster, 1);
  EXPECT_EQ(WhatIsSaid(cluster, "database-is-same", 0), "FAIL PEERS undecided");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "FOLLOWS PEERS");
  // Whether the other one is to be written is not known.
  cluster.mutable_nodes(1)->mutable_convergence()->set_state(v1::Convergence::LOOKING);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "FOLLOWS PEERS");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "FOLLOWS PEERS");
}

TEST(ConfigurationMatches, ComparesNoSecretsThatAreDigestedWithOtherKeys) {
  v1::Snapshot cluster = ThreeNodes();
  for (int i = 0; i < 3; ++i) {
    v1::NodeSnapshot& node = *cluster.mutable_nodes(i);
    node.set_digest_key_id("1111222233334444");
    v1::ConfigKey& key = *node.mutable_facts()->mutable_configuration()->add_keys();
    key.set_section("Postgres");
    key.set_name("Password");
    key.set_source(v1::ConfigKey::FILE);
    key.set_secret_digest(i == 1 ? "bbbb" : "aaaa");
  }
  IsToBeWritten(cluster, 1);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "FAIL SPEC");
  cluster.mutable_nodes(1)->set_digest_key_id("5555666677778888");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "");
}

TEST(ConfigurationMatches, SaysNothingOfANodeThatOnlyHasToBeWrittenAnew) {
  v1::Snapshot cluster = ThreeNodes();
  IsToBeWritten(cluster, 1);  // its mode, say
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 1), "");
}

TEST(ConfigurationMatches, AsksThePeersWhereNothingSaysWhoIsRight) {
  v1::Snapshot cluster = ThreeNodes();
  SetAddress(cluster, 0, "https://new.example.com");
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "FAIL PEERS");  // its environment, say
  for (int i = 0; i < 3; ++i) IsToBeWritten(cluster, i);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "FAIL PEERS");
  for (int i = 1; i < 3; ++i) {
    cluster.mutable_nodes(i)->mutable_convergence()->set_state(v1::Convergence::LOOKING);
  }
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "FAIL PEERS");
  // The file is none of the specification's.
  cluster = ThreeNodes();
  cluster.mutable_spec()->mutable_connect()->clear_config();
  SetAddress(cluster, 0, "https://new.example.com");
  IsToBeWritten(cluster, 1);
  IsToBeWritten(cluster, 2);
  EXPECT_EQ(WhatIsSaid(cluster, "configuration-matches", 0), "FAIL PEERS");
}

TEST(RuntimesMatch, TakesTheSpecificationsWordWhereItNamesThem) {
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_spec()->mutable_runtimes()->add_python()->set_version("3.12.4");
  v1::RuntimesFacts& runtimes = *cluster.mutable_nodes(0)->mutable_facts()->mutable_runtimes();
  for (const v1::Runtime& runtime : runtimes.runtimes()) {
    if (runtime.kind() != v1::PYTHON) continue;
    const v1::Runtime other = runtime;
    v1::Runtime& added = *runtimes.add_runtimes();
    added = other;
    added.set_version("3.12.4");
    added.set_executable("/opt/python/3.12.4/bin/python3");
    break;
  }
  EXPECT_EQ(WhatIsSaid(cluster, "runtimes-match-python", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "runtimes-match-python", 1), "FAIL SPEC");
  EXPECT_EQ(WhatIsSaid(cluster, "runtimes-match-python", 2), "FAIL SPEC");
}

TEST(ConnectVersionMatches, TakesTheSpecificationsWordWhereItNamesOne) {
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_spec()->mutable_connect()->set_version("2024.11.0");
  v1::ConnectFacts& connect = *cluster.mutable_nodes(0)->mutable_facts()->mutable_connect();
  connect.mutable_package()->set_version("2024.11.0");
  connect.set_running_version("2024.11.0");
  EXPECT_EQ(WhatIsSaid(cluster, "connect-version-matches", 0), "");
  EXPECT_EQ(WhatIsSaid(cluster, "connect-version-matches", 1), "FAIL SPEC");
  EXPECT_EQ(WhatIsSaid(cluster, "connect-version-matches", 2), "FAIL SPEC");
}

}  // namespace
}  // namespace connect_ha::test
