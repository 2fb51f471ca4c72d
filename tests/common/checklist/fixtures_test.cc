// Every fixture of tests/clusters gives the finding beside it. To rewrite what is expected, and
// then read the diff: CONNECT_HA_REWRITE=1 connect-ha-checklist-test
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

v1::Finding FindingOf(const std::string& rule, v1::Snapshot cluster) {
  const v1::Checklist checklist = Evaluate(std::move(cluster));
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.rule() == rule) return finding;
  }
  return {};
}

bool LooksGood(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

std::set<std::string> NodesWith(const v1::Finding& finding, v1::Outcome outcome) {
  std::set<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() != outcome) continue;
    nodes.insert(evidence.node().empty() ? "cluster" : evidence.node());
  }
  return nodes;
}

class Fixtures : public ::testing::TestWithParam<ClusterFile> {};

TEST_P(Fixtures, GiveWhatIsExpected) {
  const ClusterFile& file = GetParam();
  const v1::Finding finding = FindingOf(file.rule, LoadCluster(file.Path(".textproto")));
  const std::string expected = file.Path(".expected.textproto");
  if (std::getenv("CONNECT_HA_REWRITE") != nullptr) std::ofstream(expected) << ToText(finding);
  EXPECT_EQ(v1::Outcome_Name(finding.outcome()), v1::Outcome_Name(file.Promises()));
  EXPECT_EQ(ToText(finding), ToText(FromFile<v1::Finding>(expected)));
  if (LooksGood(file.Promises())) return;
  EXPECT_EQ(NodesWith(finding, file.Promises()), WrongNodes(file.Path(".textproto")));
}

std::string TestName(const ::testing::TestParamInfo<ClusterFile>& info) {
  std::string name = info.param.rule + "_" + info.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Clusters, Fixtures, ::testing::ValuesIn(ClusterFiles()), TestName);

// What these would not know makes a rule that they need unknown first: they follow.
const std::set<std::string>& NeverUnknown() {
  static const std::set<std::string> rules = {"at-least-two-nodes", "database-is-postgres"};
  return rules;
}

TEST(Fixtures, ShowEveryRulePassingFailingAndUnknown) {
  std::map<std::string, std::set<v1::Outcome>> shown;
  for (const ClusterFile& file : ClusterFiles()) shown[file.rule].insert(file.Promises());
  for (const Rule& rule : Rules()) {
    for (const v1::Outcome outcome : {v1::PASS, v1::FAIL, v1::UNKNOWN}) {
      if (outcome == v1::UNKNOWN && NeverUnknown().count(rule.id) > 0) continue;
      EXPECT_EQ(shown[rule.id].count(outcome), 1u)
          << "tests/clusters/" << rule.id << " has no fixture for " << v1::Outcome_Name(outcome);
    }
  }
}

TEST(Fixtures, BelongToARule) {
  for (const ClusterFile& file : ClusterFiles()) {
    EXPECT_NE(FindRule(file.rule), nullptr) << file.Path("");
    EXPECT_NE(file.Promises(), v1::OUTCOME_UNSPECIFIED) << file.Path("");
  }
}

TEST(BaseCluster, Holds) {
  std::map<std::string, v1::Outcome> not_passed;
  const v1::Checklist checklist = Evaluate(BaseCluster());
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.outcome() != v1::PASS) not_passed[finding.rule()] = finding.outcome();
  }
  const std::map<std::string, v1::Outcome> expected = {
      {"database-dir-is-shared", v1::NOT_APPLICABLE},
      {"landing-dir-is-shared", v1::NOT_APPLICABLE},
      {"load-balancer-is-sticky", v1::NOT_APPLICABLE},
      {"load-balancer-reaches-nodes", v1::NOT_APPLICABLE},
      {"storage-has-room", v1::NOT_APPLICABLE},
      {"storage-is-encrypted-in-transit", v1::NOT_APPLICABLE},
  };
  EXPECT_EQ(not_passed, expected);
}

}  // namespace
}  // namespace connect_ha::test
