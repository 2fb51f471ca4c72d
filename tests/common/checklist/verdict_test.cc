#include "common/checklist/verdict.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

constexpr int kLines = static_cast<int>(Verdict::kLinesOfANode);

int LinesOfNode(const v1::Finding& finding, const std::string& node) {
  int lines = 0;
  for (const v1::Evidence& line : finding.evidence()) lines += line.node() == node ? 1 : 0;
  return lines;
}

TEST(Verdict, OfANodeThatFailsByVeryMuchTheNumberIsGiven) {
  Verdict verdict;
  for (int i = 0; i < 500; ++i) verdict.Unknown("a", absl::StrCat("unknown ", i));
  for (int i = 0; i < 500; ++i) verdict.Fail("a", absl::StrCat("wrong ", i));
  verdict.Fail("b", "wrong");
  const v1::Finding finding = verdict.Finish();
  EXPECT_EQ(finding.outcome(), v1::FAIL);
  EXPECT_EQ(LinesOfNode(finding, "a"), 2 * (kLines + 1));
  EXPECT_EQ(LinesOfNode(finding, "b"), 1);
  EXPECT_EQ(finding.evidence(kLines).text(), "wrong 0");  // what is unknown hides no failure
  const v1::Evidence& more = finding.evidence(finding.evidence_size() - 1);
  EXPECT_EQ(more.text(), absl::StrCat("and ", 500 - kLines, " more"));
}

TEST(Verdict, WhatIsLetGoOfMeanwhileIsCounted) {
  Verdict verdict;
  for (int i = 0; i < 250'000; ++i) verdict.Fail("a", "wrong");
  verdict.Fail("b", "wrong");
  const v1::Finding finding = verdict.Finish();
  EXPECT_EQ(LinesOfNode(finding, "a"), kLines + 1);
  EXPECT_EQ(LinesOfNode(finding, "b"), 1);
  EXPECT_EQ(finding.evidence(finding.evidence_size() - 1).text(),
            absl::StrCat("and ", 250'000 - kLines, " more"));
}

TEST(Verdict, TextsCanBeRead) {
  Verdict verdict;
  verdict.Fail("a", "build abc\xc3");
  const v1::Finding finding = verdict.Finish();
  EXPECT_EQ(finding.evidence(0).text(), "build abc?");
  EXPECT_TRUE(v1::Finding().ParseFromString(finding.SerializeAsString()));
}

TEST(Verdict, TextsAreShort) {
  Verdict verdict;
  Why why;
  why.together = std::string(1024 * 1024, 't');
  verdict.Fail("a", std::string(1024 * 1024, 'x'), {}, why);
  const v1::Finding finding = verdict.Finish();
  EXPECT_EQ(finding.evidence(0).text().size(), 1024u);
  EXPECT_LE(finding.summary().size(), 4096u);
}

// What one node made up is looked for on all of them.
TEST(Verdict, OneNodeFillsNoOthersChecklist) {
  v1::Snapshot cluster =
      test::LoadCluster("tests/clusters/configuration-is-protected/fail.textproto");
  ASSERT_GE(cluster.nodes_size(), 2);
  v1::Facts& facts = *cluster.mutable_nodes(0)->mutable_facts();
  for (int i = 0; i < 500; ++i) {
    v1::Runtime& runtime = *facts.mutable_runtimes()->add_runtimes();
    runtime.set_kind(v1::R);
    runtime.set_executable(absl::StrCat("/opt/R/99.", i, "/bin/R"));
    runtime.set_exists(true);
    runtime.set_version(absl::StrCat("99.", i));
  }
  const v1::Checklist checklist = Evaluate(cluster);
  for (const v1::Finding& finding : checklist.findings()) {
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      EXPECT_LE(LinesOfNode(finding, node.name()), 3 * (kLines + 1)) << finding.rule();
    }
  }
}

}  // namespace
}  // namespace connect_ha
