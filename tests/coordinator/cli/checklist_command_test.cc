// What golden files cannot show of checklist: its code, its loops, and what it leaves out.
#include <algorithm>

#include "absl/strings/str_split.h"
#include "common/command/checklist_result.h"
#include "common/command/finding_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/checklist/fixture.h"
#include "tests/coordinator/cli/clusters.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Checklist, FailureBeatsUnknown) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_spec()->clear_prove();  // that they share a file system and a database
  Judged(world, cluster);
  EXPECT_EQ(world.Run({"checklist"}), kUnknown);
  OpenConfiguration(NodeOf(cluster, "node-1"));
  Judged(world, cluster);
  EXPECT_EQ(world.Run({"checklist"}), kFails);
  AllPass(world);
  EXPECT_EQ(world.Run({"checklist"}), kHolds);
}

TEST(Checklist, OptionsMayStandAnywhere) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  FillDisk(NodeOf(cluster, "node-3"));
  Judged(world, cluster);
  EXPECT_EQ(world.Run({"--output=json", "checklist", "--rule", "disk-has-room", "--strict"}),
            kFails);
  EXPECT_THAT(world.out, HasSubstr("\"rule\": \"disk-has-room\""));
  EXPECT_THAT(world.out, Not(HasSubstr("storage-options")));
}

TEST(Checklist, NothingANodeReportsReachesTheTerminalAsAnInstruction) {
  World world;
  const std::string evil =
      "\x1b]0;owned\x07\xc2\x9b"
      "31m";
  v1::Snapshot cluster = ThreeNodes();
  OpenConfiguration(NodeOf(cluster, "node-1"));
  JudgedBy(world, cluster, "configuration-is-protected");
  v1::Finding& finding = *world.coordinator.checklist.mutable_findings(0);
  finding.set_summary(evil);
  for (v1::Evidence& evidence : *finding.mutable_evidence()) {
    evidence.set_node("node-1" + evil);
    evidence.set_text(evil);
  }
  for (v1::Fix& fix : *finding.mutable_fixes()) {
    fix.set_on("node-1" + evil);
    fix.add_commands(evil);
    fix.set_note(evil);
  }
  world.coordinator.snapshot.mutable_nodes(0)->set_name("node-1" + evil);
  for (const char* words :
       {"checklist", "checklist --all", "status", "nodes", "events",
        "checklist --rule configuration-is-protected", "checklist --output junit"}) {
    world.Run(absl::StrSplit(words, ' '));
    EXPECT_THAT(world.out + world.error, Not(HasSubstr("\x1b"))) << words;
    EXPECT_THAT(world.out + world.error, Not(HasSubstr("\xc2\x9b"))) << words;
  }
}

// An unknown of one node is no reason to type what is right for the failure of another.
TEST(Checklist, OfANodeShowsNoOthersFix) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  FillDisk(NodeOf(cluster, "node-2"));
  test::MakeUnobserved(*NodeOf(cluster, "node-3").mutable_facts(), "disk", "permission denied");
  Judged(world, cluster);
  EXPECT_EQ(world.Run({"checklist", "--node", "node-3", "--rule", "disk-has-room", "--strict"}),
            kUnknown);
  EXPECT_THAT(world.out, HasSubstr("permission denied"));
  EXPECT_THAT(world.out, HasSubstr("connect-ha facts node-3"));
  EXPECT_THAT(world.out, Not(HasSubstr("node-2")));
}

TEST(Checklist, OfANodeShowsWhatIsTypedThere) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  OpenConfiguration(NodeOf(cluster, "node-1"));
  OpenConfiguration(NodeOf(cluster, "node-2"));
  Judged(world, cluster);
  world.Run({"checklist", "--node", "node-2", "--rule", "configuration-is-protected"});
  EXPECT_THAT(world.out, HasSubstr("on node-2: chmod 0600 "));
  EXPECT_THAT(world.out, Not(HasSubstr("node-1")));
}

TEST(Checklist, OfANodeCountsWhatNoSingleNodeSaid) {
  World world;
  JudgedBy(world, ThreeNodes(), "configuration-is-protected");
  v1::Finding& finding = *world.coordinator.checklist.mutable_findings(0);
  v1::Evidence& evidence = *finding.add_evidence();
  evidence.set_outcome(v1::PASS);
  evidence.set_text("and 200 more");
  EXPECT_EQ(world.Run({"checklist", "--node", "node-1", "--rule", finding.rule()}), kHolds);
  EXPECT_THAT(world.out, Not(HasSubstr("200"))) << "nodes that pass, none of them this one";
  evidence.set_outcome(v1::FAIL);
  evidence.set_text("and 200 more: that is a sentence like any other");
  EXPECT_EQ(world.Run({"checklist", "--node", "node-1", "--rule", finding.rule()}), kFails);
  EXPECT_THAT(world.out, HasSubstr("and 200 more: that is"));
}

// What follows counts once, by its cause; where the cause is not shown, in its place.
TEST(Checklist, WhatFollowsCountsAsItsCause) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  MountALocalDisk(NodeOf(cluster, "node-2"));
  Judged(world, cluster);
  const std::vector<std::string> only = {"checklist", "--rule", "storage-options"};
  EXPECT_EQ(world.Run(only), kFails);
  EXPECT_THAT(world.out, HasSubstr("\n  connect-ha checklist --rule storage-is-mounted\n"));
  EXPECT_EQ(world.Run({"checklist", "--rule", "storage-options", "--node", "node-2"}), kFails);
  EXPECT_EQ(world.Run({"checklist", "--rule", "storage-options", "--node", "node-1"}), kHolds);

  v1::Checklist& checklist = world.coordinator.checklist;
  v1::Finding& cause = *std::find_if(
      checklist.mutable_findings()->begin(), checklist.mutable_findings()->end(),
      [](const v1::Finding& finding) { return finding.rule() == "storage-is-mounted"; });
  cause.set_outcome(v1::UNKNOWN);
  EXPECT_EQ(world.Run(only), kUnknown);
  cause.set_rule("nobody-knows-it");
  EXPECT_EQ(world.Run(only), kUnknown);
}

TEST(Checklist, WhatFollowsIsNotForgivenWithAdvice) {
  v1::Checklist checklist;
  v1::Finding& cause = *checklist.add_findings();
  cause.set_rule("cause");
  cause.set_rule_class(v1::ADVICE);
  cause.set_outcome(v1::UNKNOWN);
  v1::Finding& follower = *checklist.add_findings();
  follower.set_rule("follower");
  follower.set_rule_class(v1::DATA);
  follower.set_outcome(v1::FOLLOWS);
  v1::Evidence& evidence = *follower.add_evidence();
  evidence.set_outcome(v1::FOLLOWS);
  evidence.set_cause("cause");
  EXPECT_EQ(ChecklistExitCode(checklist, checklist, false), kUnknown);
  cause.set_outcome(v1::FAIL);
  EXPECT_EQ(ChecklistExitCode(checklist, checklist, false), kFails);
  cause.set_rule_class(v1::SERVICE);
  cause.set_outcome(v1::UNKNOWN);
  EXPECT_EQ(ChecklistExitCode(checklist, checklist, false), kUnknown);
  follower.mutable_evidence(0)->clear_cause();
  EXPECT_EQ(OutcomeThatCounts(follower, checklist, checklist, false), v1::UNKNOWN);
}

TEST(Checklist, AnEmptyOneIsUnknown) {
  World world;
  world.coordinator.checklist.clear_findings();
  EXPECT_EQ(world.Run({"checklist"}), kUnknown);
  EXPECT_THAT(world.error, HasSubstr("judged nothing yet"));
  EXPECT_EQ(world.Run({"checklist", "--rule", "storage-options", "--node", "node-1"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("does not know this rule"));
}

size_t LinesOf(World& world, const std::vector<std::string>& words) {
  world.Run(words);
  return CountOf(world.out, "\n");
}

// One node that is not heard is one thing that is wrong.
TEST(Checklist, ASilentNodeTakesFewLines) {
  World world;
  v1::Snapshot cluster = ThreeNodes();
  NeverReported(NodeOf(cluster, "node-3"));
  Judged(world, cluster);
  EXPECT_LE(LinesOf(world, {"checklist"}), 15u) << world.out;
  EXPECT_EQ(CountOf(world.out, "has never reported"), 1u) << world.out;
  EXPECT_LE(LinesOf(world, {"status"}), 22u) << world.out;
}

v1::Finding& FailingOfHundreds(World& world, const std::function<std::string(int)>& text) {
  JudgedBy(world, ThreeNodes(), "disk-has-room");
  v1::Finding& finding = *world.coordinator.checklist.mutable_findings(0);
  finding.set_outcome(v1::FAIL);
  finding.clear_evidence();
  for (int i = 0; i < 300; ++i) {
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node("node-" + std::to_string(i));
    evidence.set_outcome(v1::FAIL);
    evidence.set_text(text(i));
  }
  return finding;
}

TEST(Checklist, SaysWhatItDoesNotShowOfHundreds) {
  World world;
  const std::string rule =
      FailingOfHundreds(world, [](int i) { return "is full: " + std::to_string(i); }).rule();
  world.Run({"checklist"});
  EXPECT_EQ(CountOf(world.out, "is full: "), kMostEvidence);
  EXPECT_THAT(world.out, HasSubstr("and 294 more: connect-ha checklist --rule " + rule));
  world.Run({"checklist", "--rule", rule});
  EXPECT_EQ(CountOf(world.out, "is full: "), kMostEvidenceInFull);
  EXPECT_THAT(world.out,
              HasSubstr("and 200 more: connect-ha checklist --rule " + rule + " --output json"));
  world.Run({"checklist", "--rule", rule, "--output", "json"});
  EXPECT_EQ(CountOf(world.out, "\"is full: "), 300u);
}

TEST(Checklist, SaysOnceWhatHundredsSay) {
  World world;
  FailingOfHundreds(world, [](int) { return "is full"; });
  world.Run({"checklist"});
  EXPECT_EQ(CountOf(world.out, "is full"), 1u) << world.out;
  EXPECT_THAT(world.out, HasSubstr("node-0, node-1 and 298 more"));
}

TEST(Checklist, WhatPassesAndIsWaivedSaysSoToProgramsToo) {
  World world;
  AllPass(world);
  v1::Word& word = *world.coordinator.plan.add_words();
  word.set_kind(v1::Word::WAIVE);
  word.set_rule("disk-has-room");
  word.set_node("node-1");
  word.set_by("admin/bob");
  word.set_reason("a < b");
  word.mutable_until()->set_seconds(1722520800);
  EXPECT_EQ(world.Run({"checklist", "--output", "junit"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("name=\"disk-has-room\">\n      <system-out>waived on node-1 "
                                   "until 2024-08-01T14:00:00Z by admin/bob: a &lt; b\n"
                                   "</system-out>\n    </testcase>\n"));
  EXPECT_EQ(CountOf(world.out, "waived"), 1u);
}

// All that fence do nothing there.
TEST(Checklist, WhatAnUnfenceWaivesIsShownWithEachRuleThatFences) {
  World world;
  AllPass(world);
  world.coordinator.plan.add_fencing("storage-is-mounted");
  v1::Word& word = *world.coordinator.plan.add_words();
  word.set_kind(v1::Word::UNFENCE);
  word.set_node("node-1");
  word.set_by("admin/bob");
  word.set_reason("a");
  word.mutable_until()->set_seconds(1722520800);
  const std::string waived = "waived on node-1 until 2024-08-01T14:00:00Z by admin/bob: a\n";
  EXPECT_EQ(world.Run({"checklist", "--output", "junit"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("name=\"storage-is-mounted\">\n      <system-out>" + waived));
  EXPECT_EQ(CountOf(world.out, "waived"), 1u);
  world.width = 400;
  world.Run({"checklist", "--all"});
  EXPECT_EQ(CountOf(world.out, waived), 1u) << world.out;
  world.Run({"checklist", "--output", "json"});
  EXPECT_EQ(CountOf(world.out, "\"by\": \"admin/bob\""), 1u) << world.out;
}

TEST(Refresh, GivesUpAfterThirtySecondsAndNamesTheNode) {
  World world;
  world.coordinator.refresh[0].add_done("node-1");
  world.coordinator.refresh[0].add_pending("node-2");
  world.waits = 1000;
  const Time before = world.now;
  EXPECT_EQ(world.Run({"nodes", "--refresh"}), kUnknown);
  EXPECT_EQ(world.error,
            "gathering: 1 of 2 nodes answered\n"
            "warning: no answer within 30 s, older facts are shown: node-2\n");
  EXPECT_GE(world.now - before, std::chrono::seconds(30));
  EXPECT_LT(world.now - before, std::chrono::seconds(31));
}

TEST(Refresh, ANodeThatDidNotAnswerIsUnknownEvenWhereAllPasses) {
  World world;
  AllPass(world);
  world.coordinator.refresh[0].add_unreachable("node-3");
  EXPECT_EQ(world.Run({"checklist", "--refresh"}), kUnknown);
}

TEST(Watch, WritesOnlyWhatChangesWhereThereIsNoTerminal) {
  World world;
  world.waits = 5;
  world.on_wait = [&world, round = 0]() mutable {
    world.coordinator.checklist.mutable_evaluated_at()->set_seconds(1722513600 + ++round);
    if (round == 3) world.coordinator.checklist.mutable_findings(0)->set_outcome(v1::FAIL);
  };
  EXPECT_EQ(world.Run({"checklist", "--watch"}), kFails);
  EXPECT_EQ(CountOf(world.out, "cluster analytics"), 2u) << world.out;
}

TEST(Watch, RedrawsATerminal) {
  World world;
  world.waits = 2;
  world.interactive = true;
  world.Run({"status", "--watch"});
  EXPECT_EQ(CountOf(world.out, "\x1b[H\x1b[2J"), 3u);
}

TEST(Watch, OutlivesTheCoordinator) {
  World world;
  world.waits = 4;
  world.on_wait = [&world, round = 0]() mutable {
    world.coordinator.error =
        ++round < 3 ? absl::UnavailableError("no answer; fix: wait") : absl::OkStatus();
  };
  EXPECT_EQ(world.Run({"nodes", "--watch"}), kUnknown);
  EXPECT_EQ(CountOf(world.out, "error: no answer\nfix:   wait\n"), 1u) << world.out;
  EXPECT_EQ(CountOf(world.out, "3 nodes, 2 live"), 2u) << world.out;
}

TEST(Watch, EndsWhereWhatIsAskedForIsMistyped) {
  World world;
  world.waits = 5;
  world.interactive = true;
  EXPECT_EQ(world.Run({"checklist", "--watch", "--node", "nod-1"}), kUsage);
  EXPECT_EQ(world.waits, 5);
  EXPECT_EQ(world.out, "");
  EXPECT_EQ(CountOf(world.error, "did you mean \"node-1\"?"), 1u);
}

// Somebody removes it; it may be back.
TEST(Watch, GoesOnWhereANodeGoesAway) {
  World world;
  world.waits = 5;
  world.on_wait = [&world] { world.coordinator.snapshot.clear_nodes(); };
  EXPECT_EQ(world.Run({"checklist", "--watch", "--node", "node-1"}), kUsage);
  EXPECT_EQ(world.waits, -1);
  EXPECT_THAT(world.out, HasSubstr("no node \"node-1\""));
}

}  // namespace
}  // namespace connect_ha
