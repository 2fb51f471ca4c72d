#include "coordinator/cluster/hold.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/checklist/rule.h"
#include "coordinator/cluster/evaluator.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'722'513'600)};

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
    SetSince(Remember(latest_), now_, &checklist);
    changes_ = FindChanges(Remember(latest_), checklist, now_).size();
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

TEST(Hold, WhatIsKnownAtLastPassesAtOnceAndFailsNoSooner) {
  Looks looks("database-reachable");
  looks.After(0, v1::UNKNOWN);
  EXPECT_EQ(looks.After(1, v1::PASS).outcome(), v1::PASS);
  looks.After(1, v1::UNKNOWN);
  EXPECT_EQ(looks.After(44, v1::UNKNOWN).outcome(), v1::PASS);
  EXPECT_EQ(looks.After(1, v1::UNKNOWN).outcome(), v1::UNKNOWN);
  EXPECT_EQ(looks.After(1, v1::FAIL).outcome(), v1::UNKNOWN);
  EXPECT_EQ(looks.After(45, v1::FAIL).outcome(), v1::FAIL);
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

TEST(Hold, WhatTheClusterShowsBeginsAnewAfterItFollowed) {
  Hold hold;
  v1::Checklist latest = OfTheCluster(v1::PASS);
  Time now = kNoon;
  for (const v1::Outcome outcome : {v1::FAIL, v1::FOLLOWS, v1::PASS, v1::FAIL}) {
    v1::Checklist checklist = OfTheCluster(outcome);
    hold.Apply(latest, now, &checklist);
    latest = checklist;
    now += HoldTime("database-headroom") / 2;
  }
  EXPECT_EQ(latest.findings(0).outcome(), v1::PASS);
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

TEST(Hold, LastsNoLongerThanItIsToFromWhenTheClockWasSetBack) {
  Looks looks("database-reachable");
  looks.After(0, v1::PASS);
  looks.After(1, v1::FAIL);
  EXPECT_EQ(looks.After(-3600, v1::FAIL).outcome(), v1::PASS);
  EXPECT_EQ(looks.After(46, v1::FAIL).outcome(), v1::FAIL);
}

// Of three nodes; what only tells is said beside what passes where something graver fails.
v1::Checklist OfThree(v1::RuleClass rule_class, const std::vector<v1::Outcome>& outcomes) {
  v1::Checklist checklist;
  v1::Finding& finding = *checklist.add_findings();
  finding.set_rule("service-is-healthy");
  finding.set_rule_class(rule_class);
  finding.set_outcome(v1::PASS);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] == v1::FAIL) finding.set_outcome(v1::FAIL);
    v1::Evidence& line = *finding.add_evidence();
    line.set_node("node-" + std::to_string(i + 1));
    line.set_outcome(outcomes[i]);
  }
  return checklist;
}

// A boot does not start node-1's Connect; node-2's ends.
TEST(Hold, WhatOnlyTellsIsNoGraverForWhatIsPutBack) {
  Hold hold;
  const v1::Checklist before = OfThree(v1::ADVICE, {v1::FAIL, v1::PASS, v1::PASS});
  v1::Checklist latest = OfThree(v1::SERVICE, {v1::PASS, v1::FAIL, v1::PASS});
  hold.Apply(before, kNoon, &latest);
  v1::Finding& finding = *latest.mutable_findings(0);
  EXPECT_EQ(finding.outcome(), v1::FAIL);
  EXPECT_EQ(finding.rule_class(), v1::ADVICE);
  EXPECT_EQ(finding.evidence(0).outcome(), v1::FAIL);
  EXPECT_EQ(finding.evidence(1).outcome(), v1::PASS);

  v1::Checklist later = OfThree(v1::SERVICE, {v1::PASS, v1::FAIL, v1::PASS});
  hold.Apply(latest, kNoon + seconds(10), &later);
  EXPECT_EQ(later.findings(0).rule_class(), v1::SERVICE);
  EXPECT_EQ(later.findings(0).evidence(0).outcome(), v1::PASS);
  EXPECT_EQ(later.findings(0).evidence(1).outcome(), v1::FAIL);
}

TEST(Hold, WhatOnlyToldIsNotPutBackBesideWhatIsGraver) {
  Hold hold;
  // node-2 is not enabled either, and then does not answer.
  const v1::Checklist before = OfThree(v1::ADVICE, {v1::FAIL, v1::FAIL, v1::PASS});
  v1::Checklist latest = OfThree(v1::SERVICE, {v1::PASS, v1::FAIL, v1::PASS});
  hold.Apply(before, kNoon, &latest);
  const v1::Finding& finding = latest.findings(0);
  EXPECT_EQ(finding.rule_class(), v1::SERVICE);
  EXPECT_EQ(finding.evidence(0).outcome(), v1::PASS);
  EXPECT_EQ(finding.evidence(1).outcome(), v1::FAIL);
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
