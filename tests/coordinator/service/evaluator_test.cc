#include "coordinator/cluster/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/checklist/rule.h"
#include "coordinator/cluster/finding_changes.h"
#include "coordinator/cluster/findings_memory.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'722'513'600)};

// One rule's outcomes, a minute apart from noon on; what is known after the last.
v1::Finding After(const std::vector<v1::Outcome>& outcomes) {
  v1::Checklist before;
  Time now = kNoon;
  for (const v1::Outcome outcome : outcomes) {
    v1::Checklist checklist;
    checklist.add_findings()->set_rule("storage-is-mounted");
    checklist.mutable_findings(0)->set_outcome(outcome);
    SetSince(Remember(before), now, &checklist);
    before = checklist;
    now += seconds(60);
  }
  return before.findings(0);
}

int MinuteOf(const google::protobuf::Timestamp& time) {
  return static_cast<int>((FromProto(time) - kNoon) / seconds(60));
}

TEST(SetSince, IsWhenTheOutcomeBecameThisOne) {
  EXPECT_EQ(MinuteOf(After({v1::PASS}).since()), 0);
  EXPECT_EQ(MinuteOf(After({v1::PASS, v1::PASS, v1::FAIL, v1::FAIL}).since()), 2);
  EXPECT_EQ(MinuteOf(After({v1::PASS, v1::UNKNOWN, v1::UNKNOWN}).since()), 1);
}

TEST(SetSince, ATimeOfUnknownDoesNotEndAnOutcome) {
  const v1::Finding again = After({v1::PASS, v1::FAIL, v1::UNKNOWN, v1::UNKNOWN, v1::FAIL});

  EXPECT_EQ(MinuteOf(again.since()), 1);
  EXPECT_FALSE(again.has_last_known());
  EXPECT_FALSE(again.has_last_known_since());
}

TEST(SetSince, AnotherOutcomeAfterUnknownIsNew) {
  EXPECT_EQ(MinuteOf(After({v1::FAIL, v1::UNKNOWN, v1::PASS}).since()), 2);
  EXPECT_EQ(MinuteOf(After({v1::FAIL, v1::UNKNOWN, v1::PASS, v1::UNKNOWN, v1::FAIL}).since()), 4);
}

TEST(SetSince, WhileUnknownWhatWasKnownLastIsKept) {
  const v1::Finding unknown = After({v1::FAIL, v1::FAIL, v1::UNKNOWN, v1::UNKNOWN});

  EXPECT_EQ(MinuteOf(unknown.since()), 2);
  EXPECT_EQ(unknown.last_known(), v1::FAIL);
  EXPECT_EQ(MinuteOf(unknown.last_known_since()), 0);
}

TEST(SetSince, WhatWasNeverKnownIsNotMadeUp) {
  const v1::Finding unknown = After({v1::UNKNOWN, v1::UNKNOWN});

  EXPECT_FALSE(unknown.has_last_known());
  EXPECT_EQ(MinuteOf(After({v1::UNKNOWN, v1::UNKNOWN, v1::FAIL}).since()), 2);
}

TEST(SetSince, ATimeOfFollowingDoesNotEndAnOutcome) {
  EXPECT_EQ(MinuteOf(After({v1::PASS, v1::FAIL, v1::FOLLOWS, v1::FOLLOWS, v1::FAIL}).since()), 1);
  EXPECT_EQ(
      MinuteOf(
          After({v1::PASS, v1::FAIL, v1::UNKNOWN, v1::FOLLOWS, v1::UNKNOWN, v1::FAIL}).since()),
      1);
  // What was never known is again what it was.
  EXPECT_EQ(MinuteOf(After({v1::UNKNOWN, v1::FOLLOWS, v1::FOLLOWS, v1::UNKNOWN}).since()), 0);
  EXPECT_EQ(MinuteOf(After({v1::FOLLOWS, v1::FOLLOWS, v1::FAIL}).since()), 2);
}

std::map<std::string, int> MinutesByRule(const v1::Checklist& checklist) {
  std::map<std::string, int> minutes;
  for (const v1::Finding& finding : checklist.findings()) {
    minutes[finding.rule()] = MinuteOf(finding.since());
  }
  return minutes;
}

TEST(SetSince, NodesThatAreCutOffForAMinuteRestartNoFinding) {
  v1::Snapshot cluster =
      test::LoadCluster("tests/clusters/configuration-is-protected/fail.textproto");
  const Time heard = FromProto(cluster.taken_at());
  Time now = kNoon;
  v1::Checklist latest;
  const auto judge_after_a_minute = [&] {
    v1::Checklist checklist = Evaluate(cluster);
    SetSince(Remember(latest), now, &checklist);
    latest = checklist;
    now += seconds(60);
  };
  judge_after_a_minute();
  const v1::Checklist before = latest;
  *cluster.mutable_taken_at() = ToProto(heard + seconds(60));
  judge_after_a_minute();
  const auto follow = std::count_if(latest.findings().begin(), latest.findings().end(),
                                    [](const auto& f) { return f.outcome() == v1::FOLLOWS; });
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    *node.mutable_last_seen() = cluster.taken_at();
    judge_after_a_minute();
  }

  EXPECT_GT(follow, 20);
  std::map<std::string, int> expected = MinutesByRule(before);
  expected["facts-are-fresh"] = 3;  // the one that failed meanwhile
  EXPECT_EQ(MinutesByRule(latest), expected);
}

// "node-1=FAIL", one line of evidence each; the finding fails when one does.
v1::Checklist Judged(const std::vector<std::pair<std::string, v1::Outcome>>& lines) {
  v1::Checklist checklist;
  v1::Finding& finding = *checklist.add_findings();
  finding.set_rule("storage-is-mounted");
  finding.set_outcome(v1::PASS);
  for (const auto& [node, outcome] : lines) {
    if (outcome == v1::FAIL) finding.set_outcome(v1::FAIL);
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node(node);
    evidence.set_outcome(outcome);
    evidence.set_text("as " + node + " says");
  }
  return checklist;
}

TEST(SetSince, EachNodesOutcomeHasItsOwn) {
  v1::Checklist latest;
  Time now = kNoon;
  const auto judge = [&](const v1::Checklist& judged) {
    v1::Checklist next = judged;
    SetSince(Remember(latest), now, &next);
    latest = next;
    now += seconds(60);
  };
  judge(Judged({{"a", v1::PASS}, {"b", v1::FAIL}}));
  judge(Judged({{"a", v1::FAIL}, {"b", v1::FAIL}}));
  judge(Judged({{"a", v1::FAIL}, {"b", v1::UNKNOWN}, {"c", v1::FAIL}}));
  judge(Judged({{"a", v1::FAIL}, {"a", v1::PASS}, {"b", v1::FAIL}, {"c", v1::FAIL}}));

  const v1::Finding& finding = latest.findings(0);
  EXPECT_EQ(MinuteOf(finding.since()), 0);
  EXPECT_EQ(MinuteOf(finding.evidence(0).since()), 1);  // a fails
  EXPECT_EQ(MinuteOf(finding.evidence(1).since()), 3);  // and says something new
  EXPECT_EQ(MinuteOf(finding.evidence(2).since()), 0);  // b, unknown in between
  EXPECT_EQ(MinuteOf(finding.evidence(3).since()), 2);
}

// As Judged, by what only tells.
v1::Checklist JudgedLesser(const std::vector<std::pair<std::string, v1::Outcome>>& lines) {
  v1::Checklist checklist = Judged(lines);
  checklist.mutable_findings(0)->set_rule_class(v1::SERVICE);
  return checklist;
}

TEST(SetSince, WhatIsGraverIsNew) {
  v1::Checklist latest;
  Time now = kNoon;
  const auto judge = [&](const v1::Checklist& judged) {
    v1::Checklist next = judged;
    // Over a restart of the coordinator, too.
    FindingsMemory memory;
    for (const auto& [rule, of] : Remember(latest)) {
      memory.emplace(rule, std::make_shared<const RuleMemory>(of->ToProto(rule)));
    }
    SetSince(memory, now, &next);
    latest = next;
    now += seconds(60);
    return MinuteOf(latest.findings(0).evidence(0).since());
  };
  EXPECT_EQ(judge(JudgedLesser({{"a", v1::FAIL}})), 0);
  EXPECT_EQ(judge(JudgedLesser({{"a", v1::FAIL}})), 0);
  EXPECT_EQ(judge(Judged({{"a", v1::FAIL}})), 2);
  EXPECT_EQ(judge(Judged({{"a", v1::FAIL}})), 2);
  EXPECT_EQ(judge(JudgedLesser({{"a", v1::FAIL}})), 4);
  EXPECT_EQ(judge(Judged({{"a", v1::UNKNOWN}})), 5);
  EXPECT_EQ(judge(Judged({{"a", v1::FAIL}})), 6);
}

std::string TextOf(const std::vector<v1::Event>& events) {
  std::string text;
  for (const v1::Event& event : events) {
    text += event.node() + " " + v1::Outcome_Name(event.from()) + " " +
            v1::Outcome_Name(event.to()) + ": " + event.text() + "\n";
  }
  return text;
}

TEST(FindChanges, OfAFindingThatFailsEachNodeIsTold) {
  const auto change = [](const v1::Checklist& before, const v1::Checklist& after) {
    return TextOf(FindChanges(Remember(before), after, kNoon));
  };
  const v1::Checklist one = Judged({{"a", v1::PASS}, {"b", v1::FAIL}});
  const v1::Checklist both = Judged({{"a", v1::FAIL}, {"a", v1::PASS}, {"b", v1::FAIL}});

  EXPECT_EQ(change(one, one), "");
  EXPECT_EQ(change(one, both), "a PASS FAIL: as a says\n");
  EXPECT_EQ(change(both, one), "a FAIL PASS: as a says\n");
  EXPECT_EQ(change(one, Judged({{"a", v1::UNKNOWN}, {"b", v1::FAIL}})), "");
  EXPECT_EQ(change(one, Judged({{"b", v1::FAIL}, {"c", v1::FAIL}})),
            "c OUTCOME_UNSPECIFIED FAIL: as c says\n");
  // One event for the whole where that changes.
  EXPECT_EQ(change(one, Judged({{"a", v1::PASS}, {"b", v1::PASS}})), " FAIL PASS: \n");
}

TEST(FindChanges, WhatFollowsIsNoEvent) {
  const auto told = [](const std::vector<v1::Outcome>& outcomes) {
    v1::Checklist before;
    std::string text;
    for (const v1::Outcome outcome : outcomes) {
      v1::Checklist checklist = Judged({{"a", outcome}, {"b", v1::FAIL}});
      checklist.add_findings()->set_rule("database-is-same");
      checklist.mutable_findings(1)->set_outcome(outcome);
      SetSince(Remember(before), kNoon, &checklist);
      text += TextOf(FindChanges(Remember(before), checklist, kNoon));
      before = checklist;
    }
    return text;
  };

  EXPECT_EQ(told({v1::FAIL, v1::FOLLOWS, v1::FOLLOWS, v1::FAIL}), "");
  EXPECT_EQ(told({v1::PASS, v1::FOLLOWS, v1::PASS}), "");
  EXPECT_EQ(told({v1::FOLLOWS, v1::FAIL}), "");
  EXPECT_EQ(told({v1::FAIL, v1::FOLLOWS, v1::PASS}), "a FAIL PASS: as a says\n FAIL PASS: \n");
}

// A database that is gone is one fault, however many nodes use it.
TEST(FindChanges, ManyNodesThatTurnAtOnceAreOneEventWithTheirNumber) {
  std::vector<std::pair<std::string, v1::Outcome>> before = {{"a", v1::FAIL}};
  std::vector<std::pair<std::string, v1::Outcome>> after = before;
  for (int i = 0; i < 10'000; ++i) {
    const std::string node = "node-" + std::to_string(10'000 + i);
    before.push_back({node, v1::PASS});
    after.push_back({node, i == 0 ? v1::PASS : v1::FAIL});
  }
  const auto began = FindChanges(Remember(Judged(before)), Judged(after), kNoon);
  const auto ceased = FindChanges(Remember(Judged(after)), Judged(before), kNoon);
  ASSERT_EQ(began.size(), 1u);
  EXPECT_EQ(began[0].count(), 9'999u);
  EXPECT_EQ(began[0].node(), "");
  EXPECT_EQ(began[0].rule(), "storage-is-mounted");
  EXPECT_EQ(began[0].from(), v1::PASS);
  EXPECT_EQ(began[0].to(), v1::FAIL);
  EXPECT_EQ(began[0].text(), "node-10001, node-10002 and 9997 more: as node-10001 says");
  ASSERT_EQ(ceased.size(), 1u);
  EXPECT_EQ(ceased[0].count(), 9'999u);
}

// So where none of them failed before: the rule itself turns.
TEST(FindChanges, ARuleThatTurnsSaysOfHowManyNodes) {
  std::vector<std::pair<std::string, v1::Outcome>> well, broken;
  for (int i = 0; i < 1'000; ++i) {
    const std::string node = "node-" + std::to_string(10'000 + i);
    well.push_back({node, v1::PASS});
    broken.push_back({node, i < 100 ? v1::PASS : v1::FAIL});
  }
  std::vector<std::pair<std::string, v1::Outcome>> one = well;
  one[7].second = v1::FAIL;
  const auto change = [](const auto& before, const auto& after) {
    const auto changes = FindChanges(Remember(Judged(before)), Judged(after), kNoon);
    EXPECT_EQ(changes.size(), 1u);
    return changes.empty() ? v1::Event() : changes[0];
  };
  EXPECT_EQ(change(well, broken).count(), 900u);
  EXPECT_EQ(change(broken, well).count(), 900u);
  EXPECT_EQ(change(well, one).count(), 0u);
  EXPECT_EQ(change(well, one).node(), "node-10007");
  EXPECT_EQ(change(one, well).count(), 0u);
}

TEST(ChangePaces, ANodeThatFlapsFillsNoHistory) {
  ChangePaces paces;
  size_t told = 0;
  for (int i = 0; i < 600; ++i) {
    std::vector<v1::Event> changes(2);
    changes[0].set_node("flapping");
    changes[0].set_kind(v1::Event::FINDING_CHANGED);
    if (i == 300) changes[1].set_node("another");
    if (i != 300) changes.pop_back();
    told += paces.Pick(std::move(changes), kNoon + std::chrono::milliseconds(i * 90)).size();
  }
  EXPECT_EQ(told, kEventsPerMinute + 1);
  const auto later = paces.Pick({}, kNoon + seconds(61));
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].kind(), v1::Event::EVENTS_LEFT_OUT);
  EXPECT_EQ(later[0].node(), "flapping");
  EXPECT_EQ(later[0].count(), 600 - kEventsPerMinute);
}

v1::Event TurnOf(const std::string& node, const std::string& rule = "storage-is-mounted") {
  v1::Event event;
  event.set_kind(v1::Event::FINDING_CHANGED);
  event.set_node(node);
  event.set_rule(rule);
  event.set_from(v1::PASS);
  event.set_to(v1::FAIL);
  event.set_text("as " + node + " says");
  return event;
}

// A fault that comes over the nodes one after the other is one fault, too.
TEST(ChangePaces, AFaultThatTricklesInFillsNoHistory) {
  ChangePaces paces;
  std::vector<v1::Event> told;
  const auto pick = [&](std::vector<v1::Event> changes, Time now) {
    for (v1::Event& event : paces.Pick(std::move(changes), now)) told.push_back(std::move(event));
  };
  for (int i = 0; i < 590; ++i) {
    pick({TurnOf("node-" + std::to_string(i))}, kNoon + std::chrono::milliseconds(100 * i));
  }
  pick({TurnOf("alone", "database-is-same"), TurnOf("")}, kNoon + seconds(59));
  ASSERT_EQ(told.size(), kNodesFindingsPerMinute + 1);
  EXPECT_EQ(told.back().node(), "");  // what is of the cluster has its own room
  told.clear();
  pick({}, kNoon + seconds(60));
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].node(), "alone");
  EXPECT_EQ(told[0].count(), 0u);
  EXPECT_EQ(told[0].text(), "as alone says");
  EXPECT_EQ(told[1].node(), "");
  EXPECT_EQ(told[1].rule(), "storage-is-mounted");
  EXPECT_EQ(told[1].from(), v1::PASS);
  EXPECT_EQ(told[1].to(), v1::FAIL);
  EXPECT_EQ(told[1].count(), 590 - kNodesFindingsPerMinute);
  EXPECT_EQ(told[1].text(), "node-60 and 529 more in one minute: as node-60 says");
  told.clear();
  pick({TurnOf("node-0")}, kNoon + seconds(61));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].node(), "node-0");
}

TEST(RuleMemory, ComesBackFromTheStoreAsItWas) {
  v1::Checklist checklist =
      Judged({{"b", v1::UNKNOWN}, {"a", v1::FAIL}, {"a", v1::PASS}, {"", v1::PASS}});
  SetSince({}, kNoon, &checklist);
  v1::Finding& finding = *checklist.mutable_findings(0);
  finding.mutable_evidence(0)->set_last_known(v1::PASS);
  *finding.mutable_evidence(0)->mutable_last_known_since() = ToProto(kNoon - seconds(60));
  const RuleMemory memory(finding);
  const v1::FindingMemory stored = memory.ToProto(finding.rule());
  EXPECT_EQ(stored.rule(), "storage-is-mounted");
  EXPECT_EQ(stored.memories_size(), 5);
  EXPECT_TRUE(RuleMemory(stored) == memory);
  size_t near = 0;
  EXPECT_EQ(memory.Line("a", v1::PASS, near)->outcome, v1::PASS);
  EXPECT_EQ(memory.Line("a", v1::UNKNOWN, near)->outcome, v1::FAIL);  // the worst
  EXPECT_EQ(memory.Line("b", v1::PASS, near)->last_known, v1::PASS);
  EXPECT_EQ(memory.Line("c", v1::PASS, near), nullptr);
  EXPECT_EQ(memory.Line("a", v1::FAIL, near)->outcome, v1::FAIL);  // in whatever order
}

}  // namespace
}  // namespace connect_ha
