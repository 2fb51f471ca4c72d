// What the plan is told of the checklist.
#include "coordinator/cluster/planning/plan_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "tests/coordinator/service/planner_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};
constexpr char kRule[] = "storage-works";

v1::PlanInput Nodes(int count) {
  v1::PlanInput input;
  for (int i = 0; i < count; ++i) {
    input.add_nodes()->mutable_brief()->set_name(absl::StrCat("n", i));
  }
  return input;
}

v1::Evidence* Line(v1::Finding& finding, const std::string& node, v1::Outcome outcome,
                   int minute = 0) {
  v1::Evidence* line = finding.add_evidence();
  line->set_node(node);
  line->set_outcome(outcome);
  line->set_text("as it was seen");
  *line->mutable_since() = ToProto(kNoon + minutes(minute));
  return line;
}

const v1::NodeRule& RuleOf(const v1::PlanInput& input, int node, const std::string& rule = kRule) {
  static const v1::NodeRule none;
  for (const v1::NodeRule& line : input.nodes(node).rules()) {
    if (line.rule() == rule) return line;
  }
  ADD_FAILURE() << "no line of " << rule;
  return none;
}

class PlanRulesTest : public testing::Test {
 protected:
  PlanRulesTest() : finding_(*checklist_.add_findings()) {
    finding_.set_rule(kRule);
    finding_.set_outcome(v1::FAIL);
    finding_.set_rule_class(v1::SERVICE);
  }
  v1::PlanInput Add(int nodes, Time now = kNoon) {
    v1::PlanInput input = Nodes(nodes);
    std::vector<PlanLook> looks(static_cast<size_t>(nodes));
    for (PlanLook& look : looks) look.changed_at = 5;
    rules_.Add(checklist_, judged_, looks, now, &input);
    return input;
  }

  v1::Checklist checklist_;
  v1::Finding& finding_;
  uint64_t judged_ = 5;
  PlanRules rules_;
};

TEST_F(PlanRulesTest, OfSeveralLinesTheWorstIsGiven) {
  Line(finding_, "n0", v1::UNKNOWN);
  Line(finding_, "n0", v1::FAIL, 1)->set_undecided(true);
  Line(finding_, "n0", v1::FAIL, 2)->set_basis(v1::SPEC);
  Line(finding_, "n0", v1::FAIL, 3)->set_basis(v1::PROOF);
  Line(finding_, "n0", v1::PASS);
  Line(finding_, "n1", v1::PASS, 4);
  Line(finding_, "", v1::FAIL);
  Line(finding_, "n2", v1::FOLLOWS);
  const v1::PlanInput input = Add(4);
  EXPECT_EQ(RuleOf(input, 0).outcome(), v1::FAIL);
  EXPECT_EQ(RuleOf(input, 0).basis(), v1::PROOF);
  EXPECT_FALSE(RuleOf(input, 0).undecided());
  EXPECT_EQ(FromProto(RuleOf(input, 0).since()), kNoon + minutes(3));
  EXPECT_EQ(RuleOf(input, 0).text(), "as it was seen");
  EXPECT_EQ(RuleOf(input, 0).rule_class(), v1::SERVICE);
  EXPECT_EQ(RuleOf(input, 1).outcome(), v1::PASS);
  EXPECT_EQ(FromProto(RuleOf(input, 1).since()), kNoon + minutes(4));
  EXPECT_EQ(RuleOf(input, 2).outcome(), v1::FOLLOWS);
  EXPECT_EQ(RuleOf(input, 3).outcome(), v1::UNKNOWN);  // nothing is said of it
}

TEST_F(PlanRulesTest, EveryRuleThatDoesMoreThanTellHasALine) {
  v1::PlanInput input = Add(1);
  size_t acting = 0;
  for (const Rule& rule : Rules()) acting += rule.action == v1::TELL ? 0 : 1;
  EXPECT_EQ(static_cast<size_t>(input.nodes(0).rules_size()), acting);
  EXPECT_EQ(RuleOf(input, 0, "accounts-match").outcome(), v1::UNKNOWN);  // is not in there
  input = Nodes(1);
  (*input.mutable_spec()->mutable_rules())["storage-options"].set_action(v1::HOLD);
  (*input.mutable_spec()->mutable_rules())["accounts-match"].set_action(v1::TELL);
  rules_.Add(checklist_, 5, std::vector<PlanLook>(1), kNoon, &input);
  EXPECT_EQ(static_cast<size_t>(input.nodes(0).rules_size()), acting + 1);
}

TEST_F(PlanRulesTest, WhatIsOlderThanTheFactsIsNotKnown) {
  Line(finding_, "n0", v1::PASS);
  judged_ = 4;
  EXPECT_EQ(RuleOf(Add(1), 0).outcome(), v1::UNKNOWN);
  judged_ = 0;
  EXPECT_EQ(RuleOf(Add(1), 0).outcome(), v1::UNKNOWN);
  judged_ = 5;
  EXPECT_EQ(RuleOf(Add(1), 0).outcome(), v1::PASS);
}

// Else another node would enter service between a report and its judgement.
TEST_F(PlanRulesTest, ThatNobodyKnowsTheWrongOneStaysUntilItIsJudgedAnew) {
  Line(finding_, "n0", v1::FAIL, 1)->set_undecided(true);
  Line(finding_, "n1", v1::FAIL)->set_basis(v1::PEERS);
  Line(finding_, "n2", v1::FAIL)->set_basis(v1::PROOF);
  judged_ = 4;
  const v1::PlanInput input = Add(4);
  for (const int node : {0, 1}) {
    EXPECT_EQ(RuleOf(input, node).outcome(), v1::FAIL);
    EXPECT_TRUE(RuleOf(input, node).undecided());
  }
  EXPECT_EQ(FromProto(RuleOf(input, 0).since()), kNoon + minutes(1));
  EXPECT_EQ(RuleOf(input, 2).outcome(), v1::UNKNOWN);
  EXPECT_EQ(RuleOf(input, 3).outcome(), v1::UNKNOWN);
  judged_ = 0;
  EXPECT_EQ(RuleOf(Add(1), 0).outcome(), v1::UNKNOWN);
}

// Of more than a hundred nodes that are right a checklist gives the number.
TEST_F(PlanRulesTest, WhoIsAmongTheRestThatIsRightIsRightSinceItWasWrongLast) {
  Line(finding_, "n0", v1::FAIL);
  Line(finding_, "", v1::PASS)->set_text("and 2 more");
  EXPECT_EQ(RuleOf(Add(3, kNoon + minutes(5)), 0).outcome(), v1::FAIL);
  finding_.clear_evidence();
  Line(finding_, "", v1::PASS)->set_text("and 3 more");
  const v1::PlanInput input = Add(3, kNoon + minutes(6));
  EXPECT_EQ(RuleOf(input, 0).outcome(), v1::PASS);
  EXPECT_EQ(FromProto(RuleOf(input, 0).since()), kNoon + minutes(5));
  EXPECT_EQ(RuleOf(input, 1).outcome(), v1::PASS);
  finding_.clear_evidence();
  finding_.set_outcome(v1::NOT_APPLICABLE);
  EXPECT_EQ(RuleOf(Add(1), 0).outcome(), v1::NOT_APPLICABLE);
}

class JudgedPlanTest : public PlannerFixture {};

TEST_F(JudgedPlanTest, WhatANodeReportsCountsOnceItWasJudged) {
  Enrol("a");
  Call("a", noon_);
  planner_->Decide(noon_);
  EXPECT_EQ(RuleOf(plan_.input, 0).text(), "what it reported last was not judged yet");
  evaluator_->Tick(noon_);
  planner_->Decide(noon_);
  EXPECT_NE(RuleOf(plan_.input, 0).text(), "what it reported last was not judged yet");
  Call("a", noon_ + seconds(1), {}, "another machine");
  planner_->Decide(noon_ + seconds(1));
  EXPECT_EQ(RuleOf(plan_.input, 0).text(), "what it reported last was not judged yet");
  evaluator_->Tick(noon_ + seconds(1));
  roster_->SetSpec(v1::Desired());
  planner_->Decide(noon_ + seconds(1));
  EXPECT_EQ(RuleOf(plan_.input, 0).text(), "what it reported last was not judged yet");
}

}  // namespace
}  // namespace connect_ha
