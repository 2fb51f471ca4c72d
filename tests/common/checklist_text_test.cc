#include "common/command/checklist_text.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/checklist/fix.h"
#include "common/command/fix_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

FixList List(const Fixes& fixes) { return {fixes.begin(), fixes.end()}; }

std::vector<std::string> Lines(const Fixes& fixes, size_t most = 0, size_t expect_left_out = 0) {
  size_t left_out = 0;
  std::vector<std::string> lines;
  for (const FixLine& line : FixLines(List(fixes), most, &left_out)) {
    lines.push_back(absl::StrCat(line.where, line.command, line.words,
                                 line.remark.text.empty() ? "" : " ", line.remark.text));
  }
  EXPECT_EQ(left_out, expect_left_out);
  return lines;
}

std::string Printed(const Fixes& fixes, int width) {
  std::ostringstream out;
  Terminal terminal{out, out, false, width};
  PrintFixes(terminal, List(fixes), 6, 16, kMostSteps, "connect-ha checklist --rule x");
  return out.str();
}

TEST(FixText, OneCommandALineAndWhatStopsConnectIsMarked) {
  EXPECT_THAT(Lines({StopConnect("node-2"), Type("node-2", {"umount /mnt", "findmnt /mnt"})}),
              ElementsAre("on node-2: systemctl stop rstudio-connect (stops Connect)",
                          "on node-2: umount /mnt", "on node-2: findmnt /mnt"));
}

TEST(FixText, NodesWithTheSameStepsShareTheirLines) {
  EXPECT_THAT(Lines({StopConnect("node-1"), Type("node-1", {"true"}), StopConnect("node-2"),
                     Type("node-2", {"true"}), Type("node-3", {"false"})}),
              ElementsAre("on node-1, node-2: systemctl stop rstudio-connect (stops Connect: one "
                          "node after the other)",
                          "on node-1, node-2: true", "on node-3: false"));
}

// node-1 waits for node-2: to bring its steps together would change what is done.
TEST(FixText, TheOrderBetweenNodesIsKept) {
  EXPECT_THAT(Lines({StopConnect("node-1"), Type("node-2", {"repair"}), StartConnect("node-1")}),
              ElementsAre("on node-1: systemctl stop rstudio-connect (stops Connect)",
                          "on node-2: repair", "on node-1: systemctl start rstudio-connect"));
}

TEST(FixText, WhatIsDoneByHandSaysSo) {
  EXPECT_THAT(Lines({ByHand("node-1", "look"), ByHand("", "decide")}),
              ElementsAre("by hand on node-1: look", "by hand: decide"));
}

TEST(FixText, ANoteStandsBehindItsCommandAndOnceForSeveral) {
  EXPECT_THAT(Lines({Type("", {"a"}, "it shows")}), ElementsAre("a (it shows)"));
  EXPECT_THAT(Lines({Type("node-1", {"a"}, "same"), Type("node-1", {"b"}, "same")}),
              ElementsAre("on node-1: a", "on node-1: b (same)"));
  EXPECT_THAT(Lines({Type("node-1", {"a", "b"}, "note")}),
              ElementsAre("on node-1: a", "on node-1: b", "(note)"));
}

TEST(FixText, WhatIsHeldBackNamesWhatMustPass) {
  v1::Fix fix = StartConnect("node-2");
  fix.clear_commands();
  fix.set_held_by("storage-is-mounted");
  EXPECT_THAT(Lines({fix}), ElementsAre("on node-2: wait until storage-is-mounted passes there; "
                                        "what to type is shown then"));
}

TEST(FixText, WhatIsLeftOutIsNeverHalfOfWhatANodeNeeds) {
  Fixes fixes;
  for (int i = 0; i < 10; ++i) {
    const std::string node = absl::StrCat("node-", i);
    fixes.push_back(Type(node, {absl::StrCat("stop ", i), absl::StrCat("change ", i)}));
    fixes.push_back(Type(node, {absl::StrCat("start ", i)}));
  }
  EXPECT_EQ(Lines(fixes, 7, 16).size(), 6u);
  EXPECT_EQ(Lines(fixes, 1, 18).size(), 3u);
}

// As a shell reads what is pasted: the lines joined at their backslashes.
std::string Pasted(const std::string& printed) {
  std::vector<std::string> words;
  for (const absl::string_view line : absl::StrSplit(printed, '\n')) {
    for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      if (word != "\\") words.emplace_back(word);
    }
  }
  return absl::StrJoin(words, " ");
}

TEST(FixText, ALongCommandCanStillBePasted) {
  const std::string command =
      "apt-get install rstudio-connect=2024.08.0~ubuntu22 --allow-downgrades -y";
  const std::string printed = Printed({Type("node-1", {command})}, 60);
  EXPECT_EQ(Pasted(printed), "do on node-1: " + command);
  for (const absl::string_view line : absl::StrSplit(printed, '\n')) {
    EXPECT_LE(line.size(), 60u) << printed;
  }
  EXPECT_THAT(printed, HasSubstr(" \\\n"));
}

// A backslash within quotes is not the end of a line to a shell.
TEST(FixText, QuotedWordsAreNotParted) {
  const std::string quoted = "'a line that goes on and on and on within its quotes'";
  EXPECT_THAT(Printed({Type("node-1", {"echo " + quoted + " >> /etc/fstab"})}, 50),
              HasSubstr(quoted));
  const std::string escaped = R"("with \" and more of it, beyond the end of any line")";
  EXPECT_THAT(Printed({Type("node-1", {"echo " + escaped})}, 50), HasSubstr(escaped));
}

v1::Finding& Add(v1::Checklist& checklist, const std::string& rule, v1::RuleClass rule_class,
                 v1::Outcome outcome, const std::string& text) {
  v1::Finding& finding = *checklist.add_findings();
  finding.set_rule(rule);
  finding.set_rule_class(rule_class);
  finding.set_outcome(outcome);
  v1::Evidence& evidence = *finding.add_evidence();
  evidence.set_node("node-1");
  evidence.set_outcome(outcome);
  evidence.set_text(text);
  return finding;
}

std::string Print(const v1::Checklist& checklist, int width = 100) {
  std::ostringstream out;
  Terminal terminal{out, out, false, width};
  PrintChecklist(terminal, checklist, {FromProto(checklist.evaluated_at()), {"cluster lab"}});
  return out.str();
}

TEST(ChecklistText, TheMostUrgentComesFirst) {
  v1::Checklist checklist;
  Add(checklist, "a", v1::ADVICE, v1::UNKNOWN, "1");
  Add(checklist, "b", v1::ADVICE, v1::FAIL, "2");
  Add(checklist, "c", v1::SERVICE, v1::UNKNOWN, "3");
  Add(checklist, "d", v1::DATA, v1::UNKNOWN, "4");
  Add(checklist, "e", v1::SERVICE, v1::FAIL, "5");
  Add(checklist, "f", v1::DATA, v1::FAIL, "6");
  EXPECT_EQ(Print(checklist),
            "cluster lab   FAIL 3   unknown 3\n\n"
            "FAIL  data      f\n      node-1    6\n"
            "FAIL  service   e\n      node-1    5\n"
            "?     data      d   node-1 4\n"
            "?     service   c   node-1 3\n"
            "FAIL  advice    b\n      node-1    2\n"
            "?     advice    a   node-1 1\n"
            "ok    0 items: connect-ha checklist --all\n");
}

TEST(ChecklistText, WhatIsEqualIsSaidOnce) {
  v1::Checklist checklist;
  for (const char* rule : {"a", "b", "c"}) Add(checklist, rule, v1::DATA, v1::UNKNOWN, "same");
  Add(checklist, "d", v1::DATA, v1::UNKNOWN, "another");
  EXPECT_THAT(Print(checklist), HasSubstr("?     data      a, b, c   node-1 same\n"));
  Add(checklist, "e", v1::DATA, v1::UNKNOWN, "same");
  EXPECT_THAT(Print(checklist), HasSubstr("?     data      4 items   node-1 same\n"));
}

TEST(ChecklistText, WhatFollowsIsOnlyCountedAtItsCause) {
  v1::Checklist checklist;
  Add(checklist, "cause", v1::DATA, v1::FAIL, "gone");
  for (const char* rule : {"second", "third"}) {
    v1::Finding& follows = Add(checklist, rule, v1::DATA, v1::FOLLOWS, "follows cause");
    follows.mutable_evidence(0)->set_cause("cause");
    v1::Evidence& other = *follows.add_evidence();
    other.set_node("node-2");
    other.set_outcome(v1::PASS);
  }
  const std::string printed = Print(checklist);
  EXPECT_THAT(printed, HasSubstr("FAIL  data      cause   2 items follow\n"));
  EXPECT_THAT(printed, Not(HasSubstr("second")));
  EXPECT_THAT(printed, HasSubstr("ok    0 items, and 2 more on every node where they could be"));
}

TEST(ChecklistText, NothingIsLostWhereItIsNarrow) {
  v1::Checklist checklist;
  v1::Finding& finding = Add(checklist, "the-name-of-the-rule", v1::SERVICE, v1::FAIL,
                             "one two three four five six seven eight nine ten");
  *finding.add_fixes() = StopConnect("a-long-node-name");
  for (int width : {40, 60, 100}) {
    const std::string printed = Print(checklist, width);
    for (const absl::string_view line : absl::StrSplit(printed, '\n')) {
      EXPECT_LE(line.size(), static_cast<size_t>(width)) << printed;
    }
    for (const char* word : {"the-name-of-the-rule", "ten", "a-long-node-name", "systemctl",
                             "rstudio-connect", "(stops Connect)"}) {
      EXPECT_THAT(printed, HasSubstr(word)) << width;
    }
  }
}

}  // namespace
}  // namespace connect_ha
