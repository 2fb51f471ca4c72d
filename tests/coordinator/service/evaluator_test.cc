#include "coordinator/cluster/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "common/checklist/rule.h"
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
    SetSince(before, now, &checklist);
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
    SetSince(latest, now, &checklist);
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
    SetSince(latest, now, &next);
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
    return TextOf(FindChanges(before, after, kNoon));
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
      SetSince(before, kNoon, &checklist);
      text += TextOf(FindChanges(before, checklist, kNoon));
      before = checklist;
    }
    return text;
  };

  EXPECT_EQ(told({v1::FAIL, v1::FOLLOWS, v1::FOLLOWS, v1::FAIL}), "");
  EXPECT_EQ(told({v1::PASS, v1::FOLLOWS, v1::PASS}), "");
  EXPECT_EQ(told({v1::FOLLOWS, v1::FAIL}), "");
  EXPECT_EQ(told({v1::FAIL, v1::FOLLOWS, v1::PASS}), "a FAIL PASS: as a says\n FAIL PASS: \n");
}

// What the latest of several looks, some seconds apart, leaves of a rule about two nodes: node-1,
// which always passes, and node-2.
class Looks {
 public:
  explicit Looks(std::string rule) : rule_(std::move(rule)) {}

  v1::Finding After(int seconds_later, v1::Outcome outcome) {
    now_ += seconds(seconds_later);
    v1::Checklist checklist;
    Add(checklist, rule_, outcome, "");
    Add(checklist, "database-is-same", outcome == v1::PASS ? v1::PASS : v1::FOLLOWS, rule_);
    hold_.Apply(latest_, now_, &checklist);
    SetSince(latest_, now_, &checklist);
    changes_ = FindChanges(latest_, checklist, now_).size();
    latest_ = checklist;
    return latest_.findings(0);
  }
  v1::Outcome OfWhatFollows() const { return latest_.findings(1).outcome(); }
  size_t changes() const { return changes_; }

 private:
  static void Add(v1::Checklist& checklist, const std::string& rule, v1::Outcome outcome,
                  const std::string& cause) {
    v1::Finding& finding = *checklist.add_findings();
    finding.set_rule(rule);
    finding.set_outcome(outcome);
    finding.set_summary(v1::Outcome_Name(outcome));
    if (outcome == v1::FAIL) finding.add_fixes()->set_on("node-2");
    for (const char* node : {"node-1", "node-2"}) {
      v1::Evidence& line = *finding.add_evidence();
      line.set_node(node);
      line.set_outcome(node == std::string("node-1") ? v1::PASS : outcome);
      line.set_text(v1::Outcome_Name(line.outcome()));
      if (line.outcome() == v1::FOLLOWS) line.set_cause(cause);
    }
  }

  const std::string rule_;
  Hold hold_;
  Time now_ = kNoon;
  v1::Checklist latest_;
  size_t changes_ = 0;
};

TEST(Hold, OneBadLookIsNoFailure) {
  Looks looks("database-reachable");
  looks.After(0, v1::PASS);
  looks.After(30, v1::FAIL);
  const v1::Finding held = looks.After(10, v1::FAIL);

  EXPECT_EQ(held.outcome(), v1::PASS);
  EXPECT_EQ(held.summary(), "node-1: PASS; node-2: PASS; but for 10s: FAIL");
  EXPECT_EQ(held.evidence(1).text(), "PASS; but for 10s: FAIL");
  EXPECT_EQ(held.fixes_size(), 0);
  EXPECT_EQ(looks.OfWhatFollows(), v1::PASS);
  EXPECT_EQ(looks.changes(), 0u);
  EXPECT_EQ(looks.After(20, v1::PASS).evidence(1).text(), "PASS");
}

TEST(Hold, WhatStaysOtherwiseTurnsBothWays) {
  Looks looks("database-reachable");
  looks.After(0, v1::PASS);
  looks.After(30, v1::FAIL);
  EXPECT_EQ(looks.After(44, v1::FAIL).outcome(), v1::PASS);
  EXPECT_EQ(looks.After(1, v1::FAIL).outcome(), v1::FAIL);
  EXPECT_EQ(looks.changes(), 1u);
  EXPECT_EQ(looks.OfWhatFollows(), v1::FOLLOWS);
  const v1::Finding held = looks.After(1, v1::PASS);
  EXPECT_EQ(held.outcome(), v1::FAIL);
  EXPECT_EQ(held.summary(), "node-2: FAIL; but for 0s: PASS");
  EXPECT_EQ(held.fixes_size(), 1);
  EXPECT_EQ(looks.After(45, v1::PASS).outcome(), v1::PASS);
}

TEST(Hold, ALookInBetweenBeginsAnew) {
  Looks looks("database-reachable");
  looks.After(0, v1::PASS);
  looks.After(30, v1::FAIL);
  looks.After(30, v1::PASS);
  looks.After(10, v1::FAIL);
  EXPECT_EQ(looks.After(40, v1::FAIL).outcome(), v1::PASS);
}

TEST(Hold, WhatIsNewOrFollowedCountsAtOnce) {
  Looks looks("database-reachable");
  EXPECT_EQ(looks.After(0, v1::FAIL).outcome(), v1::FAIL);
  EXPECT_EQ(looks.After(1, v1::FOLLOWS).outcome(), v1::FOLLOWS);
  EXPECT_EQ(looks.After(1, v1::PASS).outcome(), v1::PASS);
}

// What the cluster as a whole shows: a line of no node.
v1::Checklist OfTheCluster(v1::Outcome outcome) {
  v1::Checklist checklist;
  v1::Finding& finding = *checklist.add_findings();
  finding.set_rule("database-headroom");
  finding.set_outcome(outcome);
  v1::Evidence& line = *finding.add_evidence();
  line.set_node(outcome == v1::FOLLOWS ? "node-1" : "");
  line.set_outcome(outcome);
  return checklist;
}

TEST(Hold, WhatTheClusterShowsCountsAtOnceAfterItFollowed) {
  for (const v1::Outcome outcome : {v1::PASS, v1::FAIL}) {
    v1::Checklist checklist = OfTheCluster(outcome);
    Hold().Apply(OfTheCluster(v1::FOLLOWS), kNoon, &checklist);
    EXPECT_EQ(checklist.findings(0).outcome(), outcome);
    EXPECT_EQ(checklist.findings(0).evidence_size(), 1);
  }
}

TEST(Hold, WhatTheClusterShowsIsHeld) {
  v1::Checklist checklist = OfTheCluster(v1::FAIL);
  Hold().Apply(OfTheCluster(v1::PASS), kNoon, &checklist);
  EXPECT_EQ(checklist.findings(0).outcome(), v1::PASS);
}

void AddLine(v1::Checklist& checklist, const std::string& rule, const std::string& node,
             v1::Outcome outcome, const std::string& cause = "") {
  v1::Finding& finding = *checklist.add_findings();
  finding.set_rule(rule);
  finding.set_outcome(outcome);
  v1::Evidence& line = *finding.add_evidence();
  line.set_node(node);
  line.set_outcome(outcome);
  line.set_cause(cause);
}

TEST(Hold, WhatFollowsFromWhatIsHeldIsAsItWasWhereverItStands) {
  v1::Checklist before;
  AddLine(before, "clocks-are-synchronised", "node-1", v1::PASS);
  AddLine(before, "database-reachable", "node-1", v1::PASS);
  AddLine(before, "database-headroom", "", v1::PASS);
  v1::Checklist after;
  AddLine(after, "clocks-are-synchronised", "node-1", v1::FOLLOWS, "database-reachable");
  AddLine(after, "database-reachable", "node-1", v1::UNKNOWN);
  AddLine(after, "database-headroom", "node-1", v1::FOLLOWS, "database-reachable");

  Hold().Apply(before, kNoon, &after);

  for (const v1::Finding& finding : after.findings()) {
    EXPECT_EQ(finding.outcome(), v1::PASS) << finding.rule();
    ASSERT_EQ(finding.evidence_size(), 1) << finding.rule();
    EXPECT_EQ(finding.evidence(0).outcome(), v1::PASS) << finding.rule();
  }
}

TEST(Hold, OtherRulesTurnAtOnce) {
  Looks looks("storage-is-mounted");
  looks.After(0, v1::PASS);
  EXPECT_EQ(looks.After(1, v1::FAIL).outcome(), v1::FAIL);
}

TEST(Hold, IsForRulesThatThereAre) {
  int held = 0;
  for (const Rule& rule : Rules()) held += HoldTime(rule.id) > seconds(0) ? 1 : 0;
  EXPECT_EQ(held, 5);
}

}  // namespace
}  // namespace connect_ha
