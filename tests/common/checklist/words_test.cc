// The small functions that rules are made of.
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/facts_view.h"
#include "common/version.h"

namespace connect_ha {
namespace {

TEST(PlainVersion, LeavesOutWhatThePackagingAdds) {
  EXPECT_EQ(PlainVersion("2024.08.0~ubuntu22"), "2024.08.0");
  EXPECT_EQ(PlainVersion("2024.08.0-1"), "2024.08.0");
  EXPECT_EQ(PlainVersion("v2024.08.0"), "2024.08.0");
  EXPECT_EQ(PlainVersion("2024.08.0+7"), "2024.08.0");
  EXPECT_EQ(PlainVersion("2024.08.0"), "2024.08.0");
  EXPECT_EQ(PlainVersion(""), "");
}

TEST(PlainVersion, KeepsAPreRelease) {
  EXPECT_EQ(PlainVersion("2024.08.0-dev"), "2024.08.0-dev");
  EXPECT_EQ(PlainVersion("2024.08.0-daily.3"), "2024.08.0-daily.3");
}

TEST(SameVersion, ReadsNumbersNotDigits) {
  EXPECT_TRUE(SameVersion("2024.8.0", "2024.08.0-1"));
  EXPECT_TRUE(SameVersion("0", "00"));
  EXPECT_FALSE(SameVersion("2024.08.0", "2024.08.1"));
  EXPECT_FALSE(SameVersion("2024.08.0", "2024.08"));
}

TEST(WhyUnobserved, CoversWhatIsBelowThePath) {
  v1::Facts facts;
  facts.mutable_connect();
  v1::Unobserved& entry = *facts.add_unobserved();
  entry.set_path("connect.unit");
  entry.set_reason("no bus");
  EXPECT_EQ(WhyUnobserved(facts, "connect.unit"), "connect.unit not observed: no bus");
  EXPECT_EQ(WhyUnobserved(facts, "connect.unit.name"), "connect.unit not observed: no bus");
  EXPECT_EQ(WhyUnobserved(facts, "connect.unit_two"), std::nullopt);
  EXPECT_EQ(WhyUnobserved(facts, "connect"), std::nullopt);
}

TEST(WhyUnobserved, TakesANounThatEveryNodeHasForNotReported) {
  EXPECT_EQ(WhyUnobserved(v1::Facts(), "storage.mounts"), "storage not reported");
  EXPECT_EQ(WhyUnobserved(v1::Facts(), "instance.zone"), std::nullopt);
}

TEST(IsBelow, ComparesWholeComponents) {
  EXPECT_TRUE(IsBelow("/mnt/connect", "/mnt/connect"));
  EXPECT_TRUE(IsBelow("/mnt/connect/data", "/mnt/connect"));
  EXPECT_TRUE(IsBelow("/mnt", "/"));
  EXPECT_FALSE(IsBelow("/mnt/connect-2", "/mnt/connect"));
  EXPECT_FALSE(IsBelow("/mnt", "/mnt/connect"));
}

// Nodes that stay where they are: Seen points at them.
class CompareTest : public ::testing::Test {
 protected:
  Seen OnNode(const std::string& name, const std::string& value, bool serves = false) {
    v1::NodeSnapshot& node = nodes_.emplace_back();
    node.set_name(name);
    v1::ConnectFacts& connect = *node.mutable_facts()->mutable_connect();
    connect.mutable_unit()->set_active_state(serves ? "active" : "inactive");
    if (serves) connect.mutable_ping()->set_http_status(200);
    return {&node, value};
  }
  static v1::Finding Judge(const std::vector<Seen>& seen,
                           const std::optional<std::string>& wanted = std::nullopt) {
    Verdict verdict;
    Compare(verdict, seen, {"uid", wanted, {}, ""});
    return verdict.Finish();
  }

  std::deque<v1::NodeSnapshot> nodes_;
};

TEST_F(CompareTest, SidesWithTheMajorityOfThree) {
  const v1::Finding finding = Judge({OnNode("a", "1"), OnNode("b", "1"), OnNode("c", "2")});
  EXPECT_EQ(finding.summary(), "c: uid 2, but 1 on a, b");
  EXPECT_EQ(finding.evidence(2).basis(), v1::PEERS);
  EXPECT_FALSE(finding.evidence(2).undecided());
}

TEST_F(CompareTest, OfTwoNobodyCanTellWhoIsRight) {
  const v1::Finding finding = Judge({OnNode("a", "1"), OnNode("b", "2")});
  EXPECT_EQ(finding.outcome(), v1::FAIL);
  EXPECT_EQ(finding.summary(),
            "the nodes differ, and which is right cannot be seen from here: uid 1 on a, 2 on b");
  for (const v1::Evidence& evidence : finding.evidence()) EXPECT_TRUE(evidence.undecided());
  for (const v1::Fix& fix : finding.fixes()) EXPECT_EQ(fix.commands_size(), 0);
}

TEST_F(CompareTest, NewcomersDoNotOutvoteWhoServes) {
  const v1::Finding finding = Judge({OnNode("a", "1", true), OnNode("b", "1", true),
                                     OnNode("c", "2"), OnNode("d", "2"), OnNode("e", "2")});
  EXPECT_EQ(finding.summary(), "c, d, e: uid 2, but 1 on a, b, which serve");
}

TEST_F(CompareTest, AMajorityOfThoseThatServeIsRight) {
  const v1::Finding finding = Judge(
      {OnNode("a", "1", true), OnNode("b", "1", true), OnNode("c", "2", true), OnNode("d", "2")});
  EXPECT_EQ(finding.summary(), "c, d: uid 2, but 1 on a, b, which serve");
}

TEST_F(CompareTest, TwoThatServeAndDifferAreUndecidedWhateverTheOthersSay) {
  const v1::Finding finding =
      Judge({OnNode("a", "1", true), OnNode("b", "2", true), OnNode("c", "2"), OnNode("d", "2")});
  for (const v1::Evidence& evidence : finding.evidence()) EXPECT_TRUE(evidence.undecided());
}

TEST_F(CompareTest, SaysTheCommonestOfManyValues) {
  std::vector<Seen> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.push_back(
        OnNode(absl::StrCat("node-", 1000 + i), absl::StrCat(i < 10 ? 5 : i % 5 * 1000 + i)));
  }
  const v1::Finding finding = Judge(seen);
  EXPECT_EQ(finding.summary(),
            "the nodes differ, and which is right cannot be seen from here: uid 5 on node-1000, "
            "node-1001 and 8 more, 10 on node-1010, 100 on node-1100; and 988 more values");
  ASSERT_EQ(finding.evidence_size(), 1000);
  EXPECT_EQ(finding.evidence(999).text(), "uid 4999");
}

TEST_F(CompareTest, SidesWithWhatIsWanted) {
  const v1::Finding finding =
      Judge({OnNode("a", "1", true), OnNode("b", "1"), OnNode("c", "2")}, "2");
  EXPECT_EQ(finding.summary(), "a, b: uid 1, wanted 2");
  EXPECT_EQ(finding.evidence(0).basis(), v1::SPEC);
}

TEST(Verdict, FailsBeforeItIsUnknownAndIsUnknownBeforeItPasses) {
  Verdict verdict;
  EXPECT_EQ(verdict.Finish().outcome(), v1::NOT_APPLICABLE);
  verdict.Pass("a", "fine");
  EXPECT_EQ(verdict.Finish().outcome(), v1::PASS);
  verdict.Unknown("b", "no answer");
  EXPECT_EQ(verdict.Finish().outcome(), v1::UNKNOWN);
  verdict.Fail("c", "broken", {Type("c", {"ls"})});
  EXPECT_EQ(verdict.Finish().outcome(), v1::FAIL);
  ASSERT_EQ(verdict.Finish().fixes_size(), 1);
  EXPECT_EQ(verdict.Finish().fixes(0).on(), "c");
}

TEST(Verdict, KeepsToOneLineHoweverManyNodesThereAre) {
  Verdict verdict;
  for (int i = 1; i <= 500; ++i) {
    verdict.Fail("node-" + std::to_string(1000 + i), i % 2 ? "is broken" : "is gone");
  }
  const v1::Finding finding = verdict.Finish();
  EXPECT_EQ(finding.summary(),
            "node-1001, node-1003 and 248 more: is broken; node-1002, node-1004 and 248 more: is "
            "gone");
}

TEST(Verdict, FillsItsLineAndNoMore) {
  for (const size_t more : {0, 1}) {
    Verdict verdict;
    verdict.Fail("a", std::string(44, 'x'));         // "a: xxx": 47 with the name
    verdict.Fail("b", std::string(48 + more, 'y'));  // "; b: yyy": 53 and more
    const std::string summary = verdict.Finish().summary();
    EXPECT_EQ(summary.size(), more == 0 ? 100u : 47 + std::string("; and 1 more").size());
  }
}

TEST(Verdict, NamesEveryNodeThatIsNotRightInItsEvidence) {
  for (const bool fails : {true, false}) {
    Verdict verdict;
    for (int i = 1; i <= 500; ++i) {
      const std::string node = absl::StrCat("node-", 1000 + i);
      if (fails) {
        verdict.Fail(node, "is broken");
      } else {
        verdict.Unknown(node, "does not say");
      }
      verdict.Pass(node + "-good", "is there");
    }
    const v1::Finding finding = verdict.Finish();
    ASSERT_EQ(finding.evidence_size(), 500 + 100 + 1);
    EXPECT_EQ(finding.evidence(599).node(), "node-1500");
    EXPECT_EQ(finding.evidence(600).text(), "and 400 more");
  }
}

TEST(Verdict, CountsNoFurtherNodeWhereAllAreNamed) {
  Verdict verdict;
  for (int i = 1; i <= 100; ++i) verdict.Pass(absl::StrCat("node-", i), "is there");
  EXPECT_EQ(verdict.Finish().evidence_size(), 100);
}

TEST(Verdict, ANodeThatFailsPassesNothingBesideThat) {
  Verdict verdict;
  verdict.Pass("a", "is there");
  verdict.Fail("a", "is broken");
  verdict.Pass("b", "is there");
  const v1::Finding finding = verdict.Finish();
  ASSERT_EQ(finding.evidence_size(), 2);
  EXPECT_EQ(finding.evidence(0).text(), "is broken");
  EXPECT_EQ(finding.evidence(1).node(), "b");
}

TEST(ClassOf, KnowsKeysWhateverTheirCase) {
  EXPECT_EQ(ClassOf("metrics", "datapath").key_class, KeyClass::kMustDiffer);
  EXPECT_EQ(ClassOf("Logging", "ServiceLog").key_class, KeyClass::kMayDiffer);
  EXPECT_EQ(ClassOf("Postgres", "URL").key_class, KeyClass::kMustMatch);
  EXPECT_EQ(ClassOf("Nonsense", "URL").key_class, KeyClass::kUnknown);
}

}  // namespace
}  // namespace connect_ha
